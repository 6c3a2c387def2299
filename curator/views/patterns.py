"""The signs of bad quality that a project looks for: the built-in ones with their counts, and its own."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from common.sentences import in_readers_language
from curator.core.quality import BY_NAME, PATTERNS, Pattern
from curator.core.spread import flaw_counts, flaw_examples
from curator.forms import PatternForm
from curator.models import QualityPattern
from curator.services import flaws as services
from curator.services import selections as selection_services
from curator.services.candidates import table_of


@require_http_methods(["GET", "POST"])
def patterns(request: HttpRequest, slug: str) -> HttpResponse:
    """List the patterns with how often each is found, and add one."""
    right = Right.CURATE if request.method == "POST" else Right.SEE_MATERIAL
    project = get_editable(Project, request.user, right=right, slug=slug)
    like = BY_NAME.get(request.GET.get("like", ""))
    form = PatternForm(request.POST or None, initial=_like(like) if like else {})
    if request.method == "POST" and form.is_valid() and _save(request, project, form, None):
        return redirect("patterns", slug=slug)
    table = table_of(project)
    counts, examples = flaw_counts(table), flaw_examples(table, services.EXAMPLES)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "built_in": [(it, counts[it.name], examples[it.name]) for it in PATTERNS],
        "own": [(it, counts[it.name], examples[it.name]) for it in project.quality_patterns.all()],
        "unread": selection_services.count_unread(project),
        "like": like,
        "form": form,
    }
    return render_page(request, "curator/patterns.html", context, partial="list")


def _like(pattern: Pattern) -> dict[str, str]:
    """Return a pattern of one's own as it begins: as a built-in one, under a name that is still free."""
    return {
        "name": f"own-{pattern.name}",
        "place": pattern.place.value,
        "expression": pattern.expression,
        "reason": str(in_readers_language(pattern.reason)),
    }


def _save(request: HttpRequest, project: Project, form: PatternForm, pattern: QualityPattern | None) -> bool:
    try:
        services.save_pattern(project=project, pattern=pattern, **form.cleaned_data)
    except Refusal as refusal:
        form.add_error("expression", str(refusal))
        return False
    messages.success(request, _("Saved; the next selection reads what it looks at once more."))
    return True


@require_GET
def pattern_count(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what an expression would find, while it is being written."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    expression, place = request.GET.get("expression", ""), request.GET.get("place", "question")
    context: dict[str, object] = {
        "project": project,
        "expression": expression,
        "rights": get_rights(project, request.user),
    }
    if expression.strip():
        try:
            context["count"] = services.live_count(project=project, place=place, expression=expression)
        except Refusal as refusal:
            context["refusal"] = str(refusal)
    return render_page(request, "curator/pattern_count.html", context, partial="count")


@require_http_methods(["GET", "POST"])
def pattern(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a pattern of the project's own, or remove it."""
    found = get_visible(QualityPattern.objects.select_related("project"), request.user, pk=pk)
    if request.method == "POST":
        found = get_editable(QualityPattern.objects.select_related("project"), request.user, pk=pk)
        if "remove" in request.POST:
            services.remove_pattern(pattern=found)
            messages.success(request, _("The pattern %(name)s is gone.") % {"name": found.name})
            return redirect("patterns", slug=found.project.slug)
    given = {field: getattr(found, field) for field in ("name", "place", "expression", "reason")}
    form = PatternForm(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid() and _save(request, found.project, form, found):
        return redirect("patterns", slug=found.project.slug)
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "pattern": found,
        "form": form,
    }
    return render_page(request, "curator/pattern.html", context, partial="form")
