"""The taxonomy: its tree, a whole one typed or read from a file, and one domain with its rules and questions."""

from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from curator import queries
from curator.core.classification import OTHER
from curator.core.taxonomy import write_outline
from curator.forms import CorrectionForm, DomainForm, HeirForm, OutlineForm, RuleForm, UploadForm
from curator.models import Domain, DomainRule
from curator.services import taxonomy as services
from curator.services.classification import set_domains
from curator.views.questions import keep_undo, offered_undo


@require_http_methods(["GET", "POST"])
def taxonomy(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the domains with their questions, and read them from a file."""
    right = Right.CURATE if request.method == "POST" else Right.SEE_MATERIAL
    project = get_editable(Project, request.user, right=right, slug=slug)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            count = services.import_taxonomy(
                project=project, path=Path(file.temporary_file_path()), file_name=file.name
            )
        except Refusal as refusal:
            form.add_error("file", str(refusal))
        else:
            read = ngettext("%(count)s domain was read.", "%(count)s domains were read.", count)
            messages.success(request, read % {"count": count})
            return redirect("taxonomy", slug=slug)
    return render(request, "curator/taxonomy.html", _tree(request, project, form))


def _tree(request: HttpRequest, project: Project, form: UploadForm) -> dict[str, Any]:
    branches = queries.get_taxonomy(project)
    confidences = queries.get_confidences(project)
    orders = list(queries.get_classifications(project))
    return {
        "project": project,
        "rights": get_rights(project, request.user),
        "branches": branches,
        "total": sum((branch.own for branch in branches), queries.Counted()),
        "unlabelled": queries.count_unlabelled(project),
        "least_sure": queries.LEAST_SURE,
        "confidences": confidences,
        "most_confident": max((step.questions for step in confidences), default=0),
        "orders": orders,
        "form": form,
    }


@require_http_methods(["GET", "POST"])
def taxonomy_typed(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the tree as lines to change; say what they would change; change it when that is confirmed."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    form = OutlineForm(request.POST or None, initial={"text": write_outline(queries.get_nodes(project))})
    plan = None
    if request.method == "POST" and form.is_valid():
        text, digest = form.cleaned_data["text"], form.cleaned_data["digest"]
        try:
            plan = services.plan_outline(project=project, text=text)
            if "confirm" in request.POST:
                services.apply_outline(project=project, text=text, digest=digest, by=request.user)
                messages.success(request, _("The taxonomy is as you typed it."))
                return redirect("taxonomy", slug=slug)
        except Refusal as refusal:
            form.add_error("text", str(refusal))
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "plan": plan,
    }
    return render(request, "curator/taxonomy_typed.html", context)


@require_http_methods(["GET", "POST"])
def domain_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a domain."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    form = DomainForm(
        request.POST or None, project=project, initial={"parent": request.GET.get("parent", "")}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.save_domain(project=project, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(name)s is a domain now.") % {"name": made.name})
            return redirect(made)
    context = {"project": project, "rights": get_rights(project, request.user), "form": form}
    return render(request, "curator/domain_new.html", context)


def _edited(found: Domain) -> dict[str, Any]:
    weight = "" if found.weight is None else f"{found.weight:g}"
    return {"code": found.code, "name": found.name, "parent": found.parent_id, "weight": weight}


@require_http_methods(["GET", "POST"])
def domain(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a domain with its rules and the questions that machines are least sure of, and change it.

    With `words` a GET counts what a rule of them would hit, with `counts` what each rule hits.
    """
    get = get_editable if request.method == "POST" else get_visible
    found = get(Domain.objects.select_related("project", "parent"), request.user, pk=pk)
    form = DomainForm(request.POST or None, project=found.project, initial=_edited(found))
    if request.method == "POST" and form.is_valid():
        try:
            services.save_domain(project=found.project, domain=found, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The domain is changed."))
            return redirect(found)
    context = _domain(request, found, form)
    partial = "hits" if "words" in request.GET else "rules"
    return render_page(request, "curator/domain.html", context, partial=partial)


def _domain(request: HttpRequest, found: Domain, form: DomainForm) -> dict[str, Any]:
    words = request.GET.get("words", "")
    return {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "domain": found,
        "undo": offered_undo(request),
        "is_other": found.code == OTHER,
        "branch": next(each for each in queries.get_taxonomy(found.project) if each.domain == found),
        "rules": found.rules.all(),
        "counts": queries.get_rule_hits(found) if "counts" in request.GET else None,
        "words": words,
        "hits": queries.get_word_hits(found.project, words) if words.strip() else None,
        "unsure": queries.get_unsure(found),
        "form": form,
        "rule_form": RuleForm(initial={"words": words}),
        "correction_form": CorrectionForm(project=found.project, initial={"domain": found.pk}),
    }


@require_http_methods(["GET", "POST"])
def domain_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask where a domain's questions should go, and remove it."""
    found = get_editable(Domain.objects.select_related("project", "parent"), request.user, pk=pk)
    form = HeirForm(request.POST or None, initial={"heir": "parent" if found.parent else OTHER})
    if found.parent is None:
        form.fields["heir"].choices = form.fields["heir"].choices[1:]
    if request.method == "POST" and form.is_valid():
        try:
            services.remove_domain(domain=found, heir=form.cleaned_data["heir"], by=request.user)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(name)s is no domain any more.") % {"name": found.name})
            return redirect("taxonomy", slug=found.project.slug)
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "domain": found,
        "questions": found.questions.count(),
        "children": found.children.all(),
        "form": form,
    }
    return render(request, "curator/domain_remove.html", context)


@require_POST
def rule_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a domain another rule."""
    found = get_editable(Domain.objects.select_related("project"), request.user, pk=pk)
    form = RuleForm(request.POST)
    if form.is_valid():
        try:
            services.add_rule(domain=found, words=form.cleaned_data["words"])
            messages.success(request, _("The rule is kept; it counts when questions are sorted by rules."))
        except Refusal as refusal:
            messages.error(request, str(refusal))
    else:
        messages.error(request, " ".join(form.errors["words"]))
    return redirect(found)


@require_POST
def rule_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a rule."""
    found = get_editable(DomainRule.objects.select_related("domain"), request.user, pk=pk)
    services.remove_rule(rule=found)
    messages.success(request, _("The rule is gone; questions that it has sorted stay where they are."))
    return redirect(found.domain)


@require_POST
def domain_questions(request: HttpRequest, pk: int) -> HttpResponse:
    """Put chosen questions into a domain in an expert's name: the one they are in, or another."""
    found = get_editable(Domain.objects.select_related("project"), request.user, pk=pk)
    form = CorrectionForm(request.POST, project=found.project)
    if form.is_valid():
        chosen, to = form.cleaned_data["questions"], form.cleaned_data["domain"]
        changed = set_domains(questions=chosen, domain=to, by=request.user)
        said = ngettext("%(count)s question: %(domain)s.", "%(count)s questions: %(domain)s.", changed.count)
        messages.success(
            request, said % {"count": changed.count, "domain": to.name if to else _("no domain")}
        )
        keep_undo(request, changed)
    else:
        messages.error(request, _("Choose at least one question, and the domain that it belongs to."))
    return redirect(found)
