"""Django's name for this package."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Register the package with Django."""

    name = "config"
    verbose_name = "Site"
