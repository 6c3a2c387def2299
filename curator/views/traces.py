"""Files of traces made elsewhere: chosen, looked at, read in, reported."""

import csv
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.models import Project
from common.queries import get_rights
from common.sentences import in_every_language
from curator import tasks
from curator.exports import spreadsheet_cell
from curator.forms import LAYOUT_WORDS, TraceFileForm, TraceMappingForm
from curator.models import TraceImport
from curator.services import trace_previews as previews
from curator.services import traces as services
from curator.services import uploads
from curator.views import jobs

SHOWN_IMPORTS = 20
SHOWN_ROWS = 100


@require_http_methods(["GET", "POST"])
def traces_import(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose a file of traces; it is kept for its preview."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    form = TraceFileForm(
        request.POST or None,
        request.FILES or None,
        initial={"teacher_name": request.GET.get("teacher", "")},
    )
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            kept = uploads.keep(pool=project, content=file.file, file_name=file.name, by=request.user)
            _refuse_no_tables(kept)
        except Refusal as refusal:
            form.add_error("file", str(refusal))
        else:
            return _preview_of(project, kept[0], form.cleaned_data["teacher_name"])
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "form": form,
        "waiting": _waiting(request, project),
        "imports": project.trace_imports.select_related("created_by")[:SHOWN_IMPORTS],
    }
    return render(request, "curator/trace_import_new.html", context)


def _refuse_no_tables(kept: list[uploads.Upload]) -> None:
    """Drop what was kept if one of it is no table.

    Raises:
        Refusal: it is none.
    """
    try:
        for each in kept:
            previews.first_rows(each)
    except Refusal:
        for each in kept:
            uploads.drop(upload=each)
        raise


def _waiting(request: HttpRequest, project: Project) -> list[uploads.Upload]:
    return uploads.waiting(pool=project, by=request.user)


def _preview_of(project: Project, upload: uploads.Upload, teacher_name: str) -> HttpResponse:
    address = reverse("trace_upload", args=[project.slug, upload.token])
    query = f"?{urlencode({'teacher': teacher_name})}" if teacher_name else ""
    return redirect(address + query)


@require_http_methods(["GET", "POST"])
def trace_upload(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Show the first traces of a file with what its columns seem to mean; read it in once that is confirmed."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    try:
        kept = uploads.find(pool=project, token=token, by=request.user)
        table = previews.first_rows(kept)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("traces_import", slug=slug)
    teacher_name = request.GET.get("teacher", "")
    form = TraceMappingForm(
        request.POST or None, columns=table.columns, file_name=kept.file_name, teacher_name=teacher_name
    )
    if request.method == "POST" and form.is_valid() and "show" not in request.POST:
        answer = _confirmed(request, project, kept, form)
        if answer is not None:
            return answer
    return _shown(request, project, kept, table, form)


def _confirmed(
    request: HttpRequest, project: Project, kept: uploads.Upload, form: TraceMappingForm
) -> HttpResponse | None:
    """Queue the reading and go to its report; None where it was refused."""
    said = {name: form.cleaned_data[name] for name in ("mapping", "teacher_name", "terms", "is_summary")}
    try:
        job = services.confirm_upload(project=project, upload=kept, by=request.user, **said)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return None
    tasks.run_trace_import.delay_on_commit(job_id=job.pk)
    return redirect(job)


def _shown(
    request: HttpRequest, project: Project, kept: uploads.Upload, table: Any, form: TraceMappingForm
) -> HttpResponse:
    values, mapping = previews.samples_of(table), form.mapping()
    rows = previews.preview(project, table, mapping) if mapping else []
    context = {
        "project": project,
        "rights": get_rights(project, request.user),
        "upload": kept,
        "table": table,
        "form": form,
        "columns": [(field, values[field.label]) for field in form.column_fields()],
        "others": [each for each in _waiting(request, project) if each.path != kept.path],
        "rows": rows,
        "none_found": not any(row.question for row in rows),
    }
    return render(request, "curator/trace_import_preview.html", context)


@require_POST
def trace_upload_drop(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Remove an upload that nobody wants to read in."""
    project = get_editable(Project, request.user, right=Right.CURATE, slug=slug)
    try:
        uploads.drop(upload=uploads.find(pool=project, token=token, by=request.user))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("traces_import", slug=slug)


@require_GET
def trace_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how an import of traces goes, and then which rows became none."""
    found = get_visible(TraceImport.objects.select_related("project", "created_by"), request.user, pk=pk)
    left = services.left_out(found)
    context = {
        "waiting": _waiting(request, found.project),
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "job": found,
        "layout": LAYOUT_WORDS.get(found.layout, found.layout),
        "mapping": [(name, column) for name, column in found.mapping.items() if column],
        "reasons": services.reasons(found),
        "rows": left[:SHOWN_ROWS],
        "kept_rows": len(left),
        "left_total": found.unmatched + found.failed,
    }
    return render_page(request, "curator/trace_import.html", context, partial="progress")


@require_GET
def trace_import_report(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the first rows that became no trace, with the reasons, as CSV."""
    found = get_visible(TraceImport, request.user, pk=pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="traces-{found.pk}-report.csv"'
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow([_("Row"), _("Reason"), _("Question")])
    for each in services.left_out(found):
        writer.writerow(
            map(spreadsheet_cell, (str(each.row_number), in_every_language(each.reason), each.text))
        )
    return response


@require_POST
def trace_import_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask an import of traces to stop."""
    return jobs.cancel(request, TraceImport, pk)


@require_POST
def trace_import_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a file again whose import failed or was cancelled."""
    return jobs.retry(request, TraceImport, pk, tasks.run_trace_import)
