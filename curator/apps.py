"""Django's name for this package."""

from django.apps import AppConfig


class CuratorConfig(AppConfig):
    """Register the package with Django."""

    name = "curator"
    verbose_name = "Curator"
