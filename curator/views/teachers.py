"""Models of a project: who they are, how each is reached, and what it has done."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page, wants_part
from common.models import Project
from common.queries import get_rights
from curator import queries
from curator.core.presets import preset_of
from curator.forms import EndpointForm, PresetForm
from curator.models import Assistant, Embedder, Endpoint, Solver, Teacher
from curator.services import endpoints as services
from curator.services.purse import committed_to
from curator.views import collections

KINDS: dict[str, type[Endpoint]] = {
    "teacher": Teacher,
    "solver": Solver,
    "assistant": Assistant,
    "embedder": Embedder,
}


@require_GET
def teachers(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's models with what they have done, and their latest orders."""
    project = get_editable(Project, request.user, right=Right.SEE_MATERIAL, slug=slug)
    orders = queries.get_orders(project)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "teachers": queries.get_teachers(project),
        "solvers": queries.get_solvers(project),
        "assistants": queries.get_assistants(project),
        "embedders": queries.get_embedders(project),
        "orders": orders,
        "any_active": any(order.is_active for order in orders),
    }
    return render_page(request, "curator/teachers.html", context, partial="orders")


def own_places(request: HttpRequest) -> list[tuple[str, int]]:
    """Return where Qianti itself is reached: as the browser does, and at the port on which it listens."""
    asked = urlsplit(f"{request.scheme}://{request.get_host()}")
    places = [(asked.hostname or "", asked.port or (443 if request.is_secure() else 80))]
    listening = request.META["SERVER_PORT"]  # empty behind a socket file
    return [*places, ("localhost", int(listening))] if listening.isdecimal() else places


@require_http_methods(["GET", "POST"])
def endpoint_new(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Make a model known."""
    project = get_editable(Project, request.user, right=Right.SPEND, slug=slug)
    choice = PresetForm(request.GET)
    form = EndpointForm(
        request.POST or None, kind=KINDS[kind], filled_in=choice.filled_in, own_places=own_places(request)
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_endpoint(kind=KINDS[kind], project=project, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("%(name)s is known now. Nothing was asked yet.") % {"name": made.name}
            )
            return redirect(made)
    return _endpoint_form(request, project, form, kind, choice=choice)


@require_http_methods(["GET", "POST"])
def endpoint_edit(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Change how a model is reached and what it costs."""
    rows = KINDS[kind]._default_manager.select_related("project")
    found: Any = get_editable(rows, request.user, pk=pk)
    form = EndpointForm(
        request.POST or None, kind=KINDS[kind], endpoint=found, own_places=own_places(request)
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.change_endpoint(endpoint=found, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(name)s is changed.") % {"name": found.name})
            return redirect(found)
    return _endpoint_form(request, found.project, form, kind, found)


def _endpoint_form(
    request: HttpRequest,
    project: Project,
    form: EndpointForm,
    kind: str,
    endpoint: Any = None,
    choice: PresetForm | None = None,
) -> HttpResponse:
    preset = preset_of(form["preset"].value() or "") if "preset" in form.fields else None
    model = preset.model_named(form["model"].value() or "") if preset and endpoint is None else None
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "kind": kind,
        "endpoint": endpoint,
        "choice": choice if "preset" in form.fields else None,
        "preset": preset,
        "price": model.price if model else None,
        "is_used": endpoint is not None and services.is_used(endpoint),
        "remove_url_name": f"{kind}_remove",
    }
    return render(request, "curator/endpoint_new.html", context)


@require_POST
def endpoint_remove(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Forget a model that was never asked."""
    found: Any = get_editable(KINDS[kind]._default_manager.select_related("project"), request.user, pk=pk)
    try:
        services.remove_endpoint(endpoint=found)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    messages.success(request, _("%(name)s is removed.") % {"name": found.name})
    return redirect("teachers", slug=found.project.slug)


@require_http_methods(["GET", "POST"])
def endpoint(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Show a teacher or a solver and what it wrote, and what an order to it would cost; a POST orders."""
    get = get_editable if request.method == "POST" else get_visible
    found: Any = get(KINDS[kind]._default_manager.select_related("project"), request.user, pk=pk)
    if wants_part(request) and collections.may_compare(request, found, kind):
        context = {**_facts(request, found, kind), **collections.compared(found)}
        return render_page(request, "curator/endpoint.html", context, partial="compared")
    offer = collections.offered(request, found, kind)
    if isinstance(offer, HttpResponse):
        return offer
    response = render(request, "curator/endpoint.html", {**_facts(request, found, kind), **offer})
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_GET
def assistant(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an assistant, and what it has graded and sorted."""
    found = get_visible(Assistant.objects.select_related("project"), request.user, pk=pk)
    context = {**_facts(request, found, "assistant"), "orders": queries.get_assisting(found)}
    return render(request, "curator/endpoint.html", context)


@require_GET
def embedder(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an embedding model, and how many questions it has turned into vectors."""
    found = get_visible(Embedder.objects.select_related("project"), request.user, pk=pk)
    context = {**_facts(request, found, "embedder"), "embedded": found.embeddings.count()}
    return render(request, "curator/endpoint.html", context)


def _facts(request: HttpRequest, found: Any, kind: str) -> dict[str, Any]:
    return {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "endpoint": found,
        "kind": kind,
        "edit_url_name": f"{kind}_edit",
        "try_url_name": "" if kind == "embedder" else f"{kind}_try",
        "is_teacher": kind == "teacher",
        "committed_usd": committed_to(found),
    }
