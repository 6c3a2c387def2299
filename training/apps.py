"""Django's name for this package."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Register the package with Django."""

    name = "training"
    verbose_name = "Training"
