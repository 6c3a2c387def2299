"""Django's name for this package."""

from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    """Register the package with Django."""

    name = "evaluation"
    verbose_name = "Evaluation"
