"""Rows for the operator; figures are read only, as nobody may write a score."""

from django.contrib import admin

from evaluation.models import Evaluation, Round


@admin.register(Evaluation)
class EvaluationAdmin(admin.ModelAdmin):
    """Evaluations; their state moves only through the site."""

    list_display = ["model", "benchmark", "project", "state", "generated_tokens", "created_at"]
    list_filter = ["state", "project"]
    list_select_related = ["model", "benchmark", "project"]
    date_hierarchy = "created_at"

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Round)
class RoundAdmin(admin.ModelAdmin):
    """Rounds and the decisions that followed."""

    list_display = ["project", "number", "dataset", "run", "created_at"]
    list_filter = ["project"]
    list_select_related = ["project", "dataset", "run"]
    readonly_fields = ["project", "number", "dataset", "run", "evaluations"]

    def has_add_permission(self, request):
        return False
