"""Rows for the operator; what is made by a program is read only."""

from django.contrib import admin

from curator.models import (
    Benchmark,
    Collection,
    Dataset,
    Domain,
    Import,
    Pool,
    Probe,
    Question,
    Selection,
    Solver,
    Teacher,
)


class ReadOnly(admin.ModelAdmin):
    """Rows whose state moves only through the site."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Pool)
class PoolAdmin(admin.ModelAdmin):
    """Pools; their questions come from imports."""

    list_display = ["name", "project", "licence", "created_at"]
    list_filter = ["project"]
    search_fields = ["name"]


@admin.register(Domain)
class DomainAdmin(admin.ModelAdmin):
    """Branches of taxonomies."""

    list_display = ["code", "name", "project", "weight"]
    list_filter = ["project"]
    search_fields = ["code", "name"]
    raw_id_fields = ["parent"]


@admin.register(Question)
class QuestionAdmin(ReadOnly):
    """Questions, to look at."""

    list_display = ["id", "text_start", "project", "pool", "language", "standing"]
    list_filter = ["project", "language", "standing"]
    list_select_related = ["project", "pool"]
    search_fields = ["content_hash", "external_id"]
    show_full_result_count = False

    @admin.display(description="text")
    def text_start(self, row):
        return str(row)


@admin.register(Teacher, Solver)
class EndpointAdmin(admin.ModelAdmin):
    """Teachers and solvers; their keys are not shown."""

    list_display = ["name", "project", "model", "base_url", "is_stand_in"]
    list_filter = ["project", "is_stand_in"]
    search_fields = ["name", "model"]

    def has_add_permission(self, request):
        return False


@admin.register(Import, Collection, Probe, Selection)
class JobAdmin(ReadOnly):
    """Long work and how it stands."""

    list_display = [
        "__str__",
        "state",
        "phase",
        "progress_done",
        "progress_total",
        "worker",
        "heartbeat_at",
        "cost_usd",
    ]
    list_filter = ["state"]
    date_hierarchy = "created_at"


@admin.register(Dataset)
class DatasetAdmin(ReadOnly):
    """Frozen datasets."""

    list_display = ["name", "project", "row_count", "content_hash", "created_at"]
    list_filter = ["project"]


@admin.register(Benchmark)
class BenchmarkAdmin(ReadOnly):
    """Held-out questions."""

    list_display = ["name", "project", "file_name", "content_hash", "created_at"]
    list_filter = ["project"]
