"""Django's name for this package."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Register the package with Django."""

    name = "demo"
    verbose_name = "Demo"
