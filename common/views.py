"""The browser's way in to projects and members, and the pages that say what went wrong."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.defaults import bad_request

from common import queries, services
from common.access import Right, Role, get_editable, get_visible
from common.api import errors
from common.core.refusal import Refusal
from common.forms import MemberForm, NewProjectForm, ProjectForm, RoleForm, TokenForm
from common.htmx import render_page
from common.loop import STAGES, steps_of
from common.models import Membership, Project

API_ROOT = "/api/"


@login_not_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show a stranger what Qianti is, and a member where each project stands."""
    if not request.user.is_authenticated:
        return render(request, "common/landing.html", {"stages": STAGES})
    memberships = queries.get_memberships(request.user)
    steps = steps_of([membership.project for membership in memberships])
    rows = [(membership, steps[membership.project_id]) for membership in memberships]
    return render(request, "common/home.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
def project_new(request: HttpRequest) -> HttpResponse:
    """Make a project, whose owner is the person who makes it."""
    form = NewProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_project(owner=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The project is there. Begin with a pool of questions."))
            return redirect(made)
    return render(request, "common/project_new.html", {"form": form})


@require_GET
def project(request: HttpRequest, slug: str) -> HttpResponse:
    """Show where a project's loop stands, what comes next, and what is at work."""
    found = get_visible(Project, request.user, slug=slug)
    rights = queries.get_rights(found, request.user)
    steps = steps_of([found])[found.pk]
    jobs = queries.get_latest_jobs(found, rights)
    context = {
        "project": found,
        "rights": rights,
        "steps": steps,
        "next_step": next((step for step in steps if step.state in ("next", "failed")), None),
        "jobs": jobs,
        "any_active": any(job.is_active for job in jobs),
        "spent_usd": queries.get_spent_usd(found),
        "member_count": queries.get_members(found).count(),
    }
    return render_page(request, "common/project.html", context, partial="work")


@require_http_methods(["GET", "POST"])
def project_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a project's members and limit to its owners, and change its own facts."""
    found = get_editable(Project, request.user, right=Right.INVITE, slug=slug)
    posted = request.method == "POST"
    form = ProjectForm(request.POST if posted else None, initial=ProjectForm.initial_of(found))
    if posted and form.is_valid():
        try:
            services.change_project(project=found, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The project's settings are saved."))
            return redirect("project_settings", slug=slug)
    return render(request, "common/project_settings.html", _settings(request, found, form=form))


def _settings(request: HttpRequest, found: Project, **more: Any) -> dict[str, Any]:
    return {
        "project": found,
        "rights": queries.get_rights(found, request.user),
        "members": queries.get_members(found),
        "roles": Role.choices,
        "spent_usd": queries.get_spent_usd(found),
        "form": ProjectForm(initial=ProjectForm.initial_of(found)),
        "member_form": MemberForm(),
        **more,
    }


@require_POST
def member_add(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a person a role."""
    found = get_editable(Project, request.user, right=Right.INVITE, slug=slug)
    form = MemberForm(request.POST)
    if form.is_valid():
        try:
            member = services.add_member(project=found, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(request, _("%(person)s is a member now.") % {"person": member.user})
            return redirect("project_settings", slug=slug)
    return render(request, "common/project_settings.html", _settings(request, found, member_form=form))


@require_POST
def member_role(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Change what a member may do."""
    found = get_editable(Project, request.user, right=Right.INVITE, slug=slug)
    member = get_editable(Membership, request.user, project=found, pk=pk)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            services.change_role(membership=member, role=form.cleaned_data["role"])
            messages.success(request, _("The role is changed."))
        except Refusal as refusal:
            messages.error(request, str(refusal))
    else:
        messages.error(request, _("There is no such role."))
    return _to_settings_or_home(request, found)


@require_http_methods(["GET", "POST"])
def member_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a person's access, once that was confirmed."""
    found = get_editable(Project, request.user, right=Right.INVITE, slug=slug)
    member = get_editable(Membership.objects.select_related("user"), request.user, project=found, pk=pk)
    if request.method == "GET":
        context = {"project": found, "rights": queries.get_rights(found, request.user), "member": member}
        return render(request, "common/member_remove.html", context)
    try:
        services.remove_member(membership=member)
        messages.success(request, _("%(person)s is no member any more.") % {"person": member.user})
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return _to_settings_or_home(request, found)


def _to_settings_or_home(request: HttpRequest, found: Project) -> HttpResponse:
    """Go back to the settings, or home where the person has just given up that right."""
    may_stay = Project.objects.allowed_to(request.user, Right.INVITE).filter(pk=found.pk).exists()
    return redirect("project_settings", slug=found.slug) if may_stay else redirect("home")


@never_cache
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest, slug: str) -> HttpResponse:
    """List a member's tokens, and make one; its secret is in this one answer and nowhere else."""
    found = get_visible(Project, request.user, slug=slug)
    form = TokenForm(request.POST or None)
    secret = _made_secret(request, found, form) if request.method == "POST" and form.is_valid() else ""
    rows = list(queries.get_tokens(found, request.user))
    context = {
        "project": found,
        "rights": queries.get_rights(found, request.user),
        "own": [row for row in rows if row.user == request.user],
        "others": [row for row in rows if row.user != request.user],
        "form": TokenForm() if secret else form,
        "secret": secret,
    }
    return render(request, "common/tokens.html", context)


def _made_secret(request: HttpRequest, found: Project, form: TokenForm) -> str:
    """Make the token that a form asks for and return its secret; a refusal becomes the form's error."""
    member = Membership.objects.get(project=found, user=request.user)
    given = form.cleaned_data
    try:
        _token, secret = services.make_token(
            membership=member, name=given["name"], scope=given["scope"], expires_at=form.expires_at()
        )
    except Refusal as refusal:
        form.add_error("name", str(refusal))
        return ""
    return secret


@require_http_methods(["GET", "POST"])
def token_revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Make a token worthless, once that was confirmed: one's own, or as an owner anybody's."""
    found = get_visible(Project, request.user, slug=slug)
    token = queries.get_tokens(found, request.user).filter(pk=pk).first()
    if token is None:
        raise Http404(_("There is no such token, or it is not yours."))
    if request.method == "GET":
        context = {"project": found, "rights": queries.get_rights(found, request.user), "token": token}
        return render(request, "common/token_revoke.html", context)
    services.revoke_token(token=token)
    messages.success(request, _("The token %(name)s is worthless now.") % {"name": token.name})
    return redirect("tokens", slug=slug)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that a member's role does not reach so far."""
    return render(request, "403.html", {"reason": str(exception)}, status=403)


@login_not_required
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is no such page, or none for this person."""
    return render(request, "404.html", status=404)


@login_not_required
def broken(request: HttpRequest) -> HttpResponse:
    """Say that something broke, with no help from the database, which may be what broke."""
    if request.path.startswith(API_ROOT):
        return errors.broken()
    return HttpResponse(render_to_string("500.html"), status=500)


@login_not_required
def malformed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that a request was not understood, to a program in JSON."""
    if request.path.startswith(API_ROOT):
        return errors.problem(400, _("The request cannot be understood."))
    return bad_request(request, exception)
