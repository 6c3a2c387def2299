"""Reads of datasets."""

from django.db.models import QuerySet

from common.models import Project
from curator.models import (
    Dataset,
)


def get_datasets(project: Project) -> "QuerySet[Dataset]":
    """Return a project's datasets, newest first, with their selections."""
    rows: QuerySet[Dataset] = Dataset.objects.filter(project=project).select_related(
        "selection", "created_by"
    )
    return rows
