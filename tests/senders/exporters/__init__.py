"""Programs that call models and export traces of it. They run in the environment `otel`, not in ours."""
