"""Files on their way into a pool: chosen, looked at, read, reported, and perhaps taken back."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.queries import get_rights
from common.sentences import in_every_language, in_readers_language
from curator import queries, readers, tasks
from curator.core.layouts import look_like_traces
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
    wants_object = request.headers.get("Accept") == "application/json"
    if not form.is_valid():
        said = [str(sentence) for sentences in form.errors.values() for sentence in sentences]
        return (
            JsonResponse(_Sent(refused=said).as_object()) if wants_object else pool_page(request, pool, form)
        )
    sent = _Sent()
    for file in form.cleaned_data["file"]:
        try:
            _keep_tables(request, pool, file, sent)
        except Refusal as refusal:
            sent.refused.append(str(refusal))
    if wants_object:
        return JsonResponse(sent.as_object())
    if len(sent.misread) == 1 and not sent.previews:
        return redirect(sent.misread[0][1])  # which says what is wrong
    for sentence in [*sent.refused, *(sentence for sentence, _address in sent.misread)]:
        messages.error(request, sentence)
    return redirect(sent.previews[0] if sent.previews else pool)


@dataclass
class _Sent:
    """What became of the files that were sent.

    `previews` are the addresses of those that wait to be looked at, `refused` the sentences about those that
    are gone, and `misread` sentence and address of those that may only have to be read in another way.
    """

    previews: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    misread: list[tuple[str, str]] = field(default_factory=list)

    def as_object(self) -> dict[str, Any]:
        """Return it for a script."""
        refused = [in_readers_language(sentence) for sentence in self.refused]
        misread = [
            {"says": in_readers_language(sentence), "address": address} for sentence, address in self.misread
        ]
        return {"previews": self.previews, "refused": refused, "misread": misread}


def _keep_tables(request: HttpRequest, pool: Pool, file: Any, sent: _Sent) -> None:
    """Keep the tables of one file, and those that a person may have to say how to read, which do not wait.

    Of what is inside an archive and is no table, say so and keep the others.
    """
    for each in uploads.keep(pool=pool, content=file.file, file_name=file.name, by=request.user):
        address = reverse("upload_preview", args=[pool.pk, each.token])
        try:
            queries.get_preview(each.path, each.file_name)
        except readers.NoTable as refusal:
            if _may_be_misread(refusal, each):
                uploads.set_aside(upload=each)
                sent.misread.append((str(refusal), address))
            else:
                uploads.drop(upload=each)
                sent.refused.append(str(refusal))
        else:
            sent.previews.append(address)


def _may_be_misread(refusal: readers.NoTable, kept: uploads.Upload) -> bool:
    """Tell whether a file could be mended by saying how it is written, which not every kind lets one say."""
    is_of_such_a_kind = queries.get_kind(kept.path, kept.file_name) in ("XLSX", "text")
    return isinstance(refusal, readers.Misread) or (refusal.may_be_misread and is_of_such_a_kind)


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
    asked, said = _reading_form(request, pool, kept), _said(request)
    try:
        preview = queries.get_preview(kept.path, kept.file_name, asked.reading)
    except Refusal as refusal:
        asked.show_refused(
            queries.get_kind(kept.path, kept.file_name), queries.get_sheets(kept.path, kept.file_name)
        )
        return _preview_page(request, pool, kept, {"asked": asked, "refusal": refusal, "said": said})
    columns = preview.table.columns
    asked.show(preview.table)
    remembered = queries.get_remembered(pool.project, columns)
    are_same = _shown_columns(request) in (None, list(columns))
    meanings = request.POST if request.method == "POST" and are_same else None
    form = MappingForm(meanings, columns=columns, remembered=remembered, said=said)
    job = _confirmed(request, pool, kept, asked, form)
    if job is not None:
        return redirect(job)
    shown = {
        "asked": asked,
        "table": preview.table,
        "shown": columns,
        "said": said | form.meanings(),
        "are_others": bool(said) and not are_same and not set(columns) <= said.keys(),
        "are_traces": look_like_traces(columns),
        "remembered": remembered is not None,
        "columns": [(field, preview.samples[field.label]) for field in form],
        "form": form,
        "rows": _read(preview, form),
    }
    return _preview_page(request, pool, kept, shown)


def _shown_columns(request: HttpRequest) -> list[str] | None:
    """Return the columns that the page had shown from which something was sent; None where it does not say."""
    shown = _json(request.POST.get("shown", ""))
    return [str(column) for column in shown] if isinstance(shown, list) else None


def _said(request: HttpRequest) -> dict[str, str]:
    """Return what was said of columns on this page so far, by their names, whichever the file had when."""
    earlier = _json(request.POST.get("said", ""))
    said = {str(column): str(role) for column, role in earlier.items()} if isinstance(earlier, dict) else {}
    places = enumerate(_shown_columns(request) or [])
    named = {column: request.POST.get(f"column_{place}") for place, column in places}
    return said | {column: role for column, role in named.items() if role is not None}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _reading_form(request: HttpRequest, pool: Pool, kept: uploads.Upload) -> ReadingForm:
    """Return how a person says that a file is written, or said of the last one like it."""
    if request.method == "POST":
        return ReadingForm(request.POST)
    return ReadingForm(remembered=queries.get_remembered_reading(pool.project, kept.path, kept.file_name))


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
    request: HttpRequest, pool: Pool, kept: uploads.Upload, shown: Mapping[str, Any]
) -> HttpResponse:
    context = {
        "project": pool.project,
        "rights": get_rights(pool.project, request.user),
        "pool": pool,
        "upload": kept,
        "others": _others(request, pool, kept),
    }
    kept_for_later = {name: json.dumps(shown.get(name, []), ensure_ascii=False) for name in ("shown", "said")}
    return render(request, "curator/upload_preview.html", {**context, **shown, **kept_for_later})


def _others(request: HttpRequest, pool: Pool, kept: uploads.Upload) -> list[uploads.Upload]:
    """Return the other files of this person that wait to be looked at."""
    return [each for each in uploads.waiting(pool=pool, by=request.user) if each.path != kept.path]


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
    return redirect(pool)


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
        "pool": found.pool,
        "waiting": uploads.waiting(pool=found.pool, by=request.user),
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
        yield [
            *(cells.get(column, "") for column in job.columns),
            str(row.row_number),
            in_every_language(row.reason),
        ]


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
