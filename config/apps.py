from django.apps import AppConfig


class SiteConfig(AppConfig):
    """What all apps use: settings, HTTP helpers, formatting, template tags, jobs, `serve`."""

    name = "config"
    label = "site_config"
