"""Rows for the operator; what is made by a program is read only."""

from django.contrib import admin

from training.models import Model, Recipe, Run


@admin.register(Recipe)
class RecipeAdmin(admin.ModelAdmin):
    """Kept recipes."""

    list_display = ["name", "project", "created_at"]
    list_filter = ["project"]


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):
    """Fine-tunes; their state moves only through the site."""

    list_display = ["name", "project", "state", "recipe_name", "steps", "final_loss", "created_at"]
    list_filter = ["state", "project"]
    search_fields = ["name"]
    date_hierarchy = "created_at"

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Model)
class ModelAdmin(admin.ModelAdmin):
    """Bases, checkpoints and remote models."""

    list_display = ["name", "project", "kind", "markup", "location"]
    list_filter = ["kind", "project"]
    search_fields = ["name", "location"]
    readonly_fields = ["project", "kind", "location", "content_hash", "run", "base"]

    def has_add_permission(self, request):
        return False
