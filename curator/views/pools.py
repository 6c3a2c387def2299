"""Pools: the list, and one with the files that were read into it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.models import Project
from common.queries import get_rights
from curator import queries
from curator.forms import FilesForm, PoolForm
from curator.models import Pool
from curator.services import pools as services
from curator.views import previews


@require_http_methods(["GET", "POST"])
def pools(request: HttpRequest, slug: str) -> HttpResponse:
    """List a project's pools, and make one."""
    right = Right.CURATE if request.method == "POST" else Right.SEE_MATERIAL
    project = get_editable(Project, request.user, right=right, slug=slug)
    form = PoolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_pool(project=project, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The pool is there. Choose a file to read into it."))
            return redirect(made)
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "pools": queries.get_pools(project),
        "form": form,
    }
    return render(request, "curator/pools.html", context)


@require_GET
def pool(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a pool, the files that were read into it, and the form for another."""
    found = get_visible(Pool.objects.select_related("project"), request.user, pk=pk)
    return pool_page(request, found, FilesForm())


def pool_page(request: HttpRequest, found: Pool, form: FilesForm) -> HttpResponse:
    """Render a pool's page with a form for files, as it is or as it was refused."""
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "pool": queries.get_pools(found.project).get(pk=found.pk),
        "imports": queries.get_imports(found),
        "waiting": previews.of_pool(found).waiting(request),
        "form": form,
    }
    return render(request, "curator/pool.html", context)
