from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The app with what all other apps use: HTTP helpers, formatting, template tags, jobs, `serve`."""

    name = "config"
    label = "site_config"
