"""Django's name for this package."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Register the package with Django."""

    name = "common"
    verbose_name = "Projects and members"
