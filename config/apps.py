from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The floor that every app stands on: settings, HTTP helpers, template filters, jobs, `serve`."""

    name = "config"
    label = "site_config"
