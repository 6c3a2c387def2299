"""The site: settings, addresses, workers and the services that it brings along."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
