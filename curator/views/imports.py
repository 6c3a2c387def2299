"""Files on their way into a pool: chosen, looked at, read, reported, and perhaps taken back."""

import csv
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.queries import get_rights
from curator import queries, readers, tasks
from curator.core.rows import QuestionRow
from curator.exports import as_workbook, spreadsheet_cell
from curator.forms import SEPARATORS, FilesForm, MappingForm, ReadingForm
from curator.models import Import, Pool, RowReport
from curator.services import imports as services
from curator.services import pools, undo, uploads
from curator.views import jobs
from curator.views.pools import pool_page

REPORTS_A_PAGE = 50
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_POST
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep files for their previews; answer a script with an object, and a form with the first preview."""
    pool = get_editable(Pool.objects.select_related("project"), request.user, pk=pk)
    form = FilesForm(request.POST, request.FILES)
    if not form.is_valid():
        return pool_page(request, pool, form)
    kept, refused = [], []
    for file in form.cleaned_data["file"]:
        try:
            kept += _kept_tables(request, pool, file, refused)
        except Refusal as refusal:
            refused.append(str(refusal))
    addresses = [reverse("upload_preview", args=[pk, each.token]) for each in kept]
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"previews": addresses, "refused": refused})
    for sentence in refused:
        messages.error(request, sentence)
    return redirect(addresses[0] if addresses else pool)


def _kept_tables(request: HttpRequest, pool: Pool, file: Any, refused: list[str]) -> list[uploads.Upload]:
    """Keep the tables of one file, and those that a person may have to say how to read.

    Of what is inside an archive and is no table, say so and keep the others.
    """
    kept = []
    for each in uploads.keep(pool=pool, content=file.file, file_name=file.name, by=request.user):
        try:
            queries.get_preview(each.path, each.file_name)
        except readers.NoTable as refusal:
            if refusal.may_be_misread:
                kept.append(each)
                continue
            uploads.drop(upload=each)
            refused.append(str(refusal))
        else:
            kept.append(each)
    return kept


@require_http_methods(["GET", "POST"])
def upload_preview(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Show a file's first rows with how it seems to be written and what its columns seem to mean.

    Both can be corrected; it is read in once they are confirmed.
    """
    pool = get_editable(Pool.objects.select_related("project"), request.user, pk=pk)
    try:
        kept = uploads.find(pool=pool, token=token, by=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(pool)
    asked = _reading_form(request, pool, kept)
    try:
        preview = queries.get_preview(kept.path, kept.file_name, asked.reading)
    except Refusal as refusal:
        asked.show_refused(queries.get_sheets(kept.path, kept.file_name))
        return _preview_page(request, pool, kept, {"asked": asked, "refusal": refusal})
    columns = preview.table.columns
    asked.show(preview.table)
    remembered = queries.get_remembered(pool.project, columns)
    form = MappingForm(_meanings(request, columns), columns=columns, remembered=remembered)
    job = _confirmed(request, pool, kept, asked, form)
    if job is not None:
        return _next_preview(request, pool, kept, job)
    shown = {
        "asked": asked,
        "table": preview.table,
        "shown": queries.columns_hash(columns),
        "are_others": bool(request.POST.get("shown")) and not form.is_bound,
        "remembered": remembered is not None,
        "columns": [(field, preview.samples[field.label]) for field in form],
        "form": form,
        "rows": _read(preview, form),
    }
    return _preview_page(request, pool, kept, shown)


def _reading_form(request: HttpRequest, pool: Pool, kept: uploads.Upload) -> ReadingForm:
    """Return how a person says that a file is written, or said of the last one like it."""
    if request.method == "POST":
        return ReadingForm(request.POST)
    return ReadingForm(remembered=queries.get_remembered_reading(pool.project, kept.path, kept.file_name))


def _meanings(request: HttpRequest, columns: Sequence[str]) -> QueryDict | None:
    """Return the meanings that were sent, unless they were said of other columns than there are now."""
    shown = queries.columns_hash(columns)
    is_of_these = request.POST.get("shown", shown) == shown
    return request.POST if request.method == "POST" and is_of_these else None


def _confirmed(
    request: HttpRequest, pool: Pool, kept: uploads.Upload, asked: ReadingForm, form: MappingForm
) -> Import | None:
    """Queue the reading of a file, if all that was said of it holds and it is not only to be shown again."""
    if not (form.is_bound and asked.is_valid() and form.is_valid()) or "show" in request.POST:
        return None
    try:
        job = pools.confirm_upload(
            pool=pool,
            upload=kept,
            columns=form.all_columns,
            mapping=form.cleaned_data["mapping"],
            by=request.user,
            reading=asked.reading,
        )
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return None
    tasks.run_import.delay_on_commit(job_id=job.pk)
    return job


def _preview_page(
    request: HttpRequest, pool: Pool, kept: uploads.Upload, shown: dict[str, Any]
) -> HttpResponse:
    context = {
        "project": pool.project,
        "rights": get_rights(pool.project, request.user),
        "pool": pool,
        "upload": kept,
        "others": _others(request, pool, kept),
    }
    return render(request, "curator/upload_preview.html", context | shown)


def _others(request: HttpRequest, pool: Pool, kept: uploads.Upload) -> list[uploads.Upload]:
    """Return the other files of this person that wait to be looked at."""
    return [each for each in uploads.waiting(pool=pool, by=request.user) if each.path != kept.path]


def _next_preview(request: HttpRequest, pool: Pool, kept: uploads.Upload, job: Import) -> HttpResponse:
    """Go on to the next file that waits to be looked at, or to the one that is being read."""
    waiting = _others(request, pool, kept)
    if not waiting:
        return redirect(job)
    messages.success(
        request, _("%(file)s is being read in. This is the next file.") % {"file": job.file_name}
    )
    return redirect("upload_preview", pk=pool.pk, token=waiting[0].token)


def _read(preview: queries.Preview, form: MappingForm) -> list[tuple[bool, object]]:
    """Return the first rows as the mapping reads them, each with whether it becomes a question."""
    if form.is_bound and not form.is_valid():
        return []
    mapping = form.cleaned_data["mapping"] if form.is_bound else form.first
    if not mapping.get("question"):
        return []
    used = {field: column for field, column in mapping.items() if column}
    return [(isinstance(row, QuestionRow), row) for row in preview.read_with(used)]


@require_POST
def upload_drop(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Remove an upload that nobody wants to read in."""
    pool = get_editable(Pool, request.user, pk=pk)
    try:
        uploads.drop(upload=uploads.find(pool=pool, token=token, by=request.user))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    waiting = uploads.waiting(pool=pool, by=request.user)
    return redirect("upload_preview", pk=pk, token=waiting[0].token) if waiting else redirect(pool)


@require_GET
def import_(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how an import goes, and then what became of every row."""
    found = get_visible(Import.objects.select_related("pool__project", "created_by"), request.user, pk=pk)
    kind = request.GET.get("kind", "")
    kind = kind if kind in RowReport.Kind.values else ""
    counts = queries.get_report_counts(found)
    rows = queries.get_reports(found, kind=kind)
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "job": found,
        "kind": kind,
        "kinds": [(each, counts[each.value]) for each in RowReport.Kind if each.value in counts],
        "conflicts": counts.get(RowReport.Kind.CONFLICT, 0),
        "mapping": [(field, column) for field, column in found.mapping.items() if column],
        "separator": SEPARATORS.get(found.delimiter, ""),
        "reasons": [] if found.is_active else pools.reasons(found),
        "page": Paginator(rows, REPORTS_A_PAGE).get_page(request.GET.get("page")),
    }
    return render_page(request, "curator/import.html", context, partial="progress")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _report_rows(request: HttpRequest, job: Import) -> Iterator[list[str]]:
    """Yield the header and the rows of a report that can be corrected and uploaded again."""
    kind = request.GET.get("kind", "")
    rows = queries.get_reports(job, kind=kind if kind in RowReport.Kind.values else "")
    yield [*job.columns, *services.REPORT_COLUMNS]
    question = job.mapping.get("question")
    for row in rows.iterator(chunk_size=2000):
        cells = row.cells or {question: row.text}
        yield [*(cells.get(column, "") for column in job.columns), str(row.row_number), row.reason]


@require_GET
def import_report(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Send the rows that became no question, as they stood in the file and with the reason, as CSV."""
    found = get_visible(Import, request.user, pk=pk)
    writer = csv.writer(_Echo())
    lines = (
        ("\ufeff" if place == 0 else "") + writer.writerow(map(spreadsheet_cell, row))
        for place, row in enumerate(_report_rows(request, found))
    )
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{found.pk}-report.csv"'
    return response


@require_GET
def import_workbook(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the same rows as a workbook, in which every cell is text."""
    found = get_visible(Import, request.user, pk=pk)
    try:
        workbook = as_workbook(_report_rows(request, found))
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    response = HttpResponse(workbook, content_type=_WORKBOOK)
    response["Content-Disposition"] = f'attachment; filename="import-{found.pk}-report.xlsx"'
    return response


@require_POST
def import_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask an import to stop."""
    return jobs.cancel(request, Import, pk)


@require_POST
def import_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a file again whose import failed or was cancelled."""
    return jobs.retry(request, Import, pk, tasks.run_import)


@require_http_methods(["GET", "POST"])
def import_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what an import added, once that was confirmed."""
    found = get_editable(
        Import.objects.select_related("pool__project"), request.user, right=Right.CURATE, pk=pk
    )
    if request.method == "GET":
        context = {"project": found.project, "rights": get_rights(found.project, request.user), "job": found}
        return render(request, "curator/import_undo.html", context)
    try:
        undo.undo_import(job=found)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    messages.success(request, _("The questions of %(file)s are gone.") % {"file": found.file_name})
    return redirect(found.pool)
