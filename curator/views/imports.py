"""Files on their way into a pool: chosen, looked at, read, reported, and perhaps taken back."""

import csv
from collections.abc import Iterator

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.queries import get_rights
from common.sentences import in_every_language
from curator import queries, tasks
from curator.exports import as_workbook, spreadsheet_cell
from curator.forms import SEPARATORS, FilesForm
from curator.models import Import, Pool, RowReport
from curator.services import imports as services
from curator.services import pools, undo
from curator.views import jobs, previews
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
        if wants_object:
            return JsonResponse(previews.Sent(refused=said).as_object())
        return pool_page(request, pool, form)
    sent = previews.Sent()
    for file in form.cleaned_data["file"]:
        try:
            previews.keep_tables(request, previews.of_pool(pool), file, sent)
        except Refusal as refusal:
            sent.refused.append(str(refusal))
    if wants_object:
        return JsonResponse(sent.as_object())
    if len(sent.misread) == 1 and not sent.previews:
        return redirect(sent.misread[0][1])  # which says what is wrong
    for sentence in [*sent.refused, *(sentence for sentence, _address in sent.misread)]:
        messages.error(request, sentence)
    return redirect(sent.previews[0] if sent.previews else pool)


@require_http_methods(["GET", "POST"])
def upload_preview(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Show a file's first rows with what its columns seem to mean; it is read in once they are confirmed."""
    pool = get_editable(Pool.objects.select_related("project"), request.user, pk=pk)

    def read_in(said: previews.Confirmed) -> HttpResponse:
        job = pools.confirm_upload(
            pool=pool,
            upload=said.upload,
            columns=said.columns,
            mapping=said.mapping,
            by=request.user,
            reading=said.reading,
        )
        tasks.run_import.delay_on_commit(job_id=job.pk)
        return redirect(job)

    return previews.look(request, previews.of_pool(pool), token, read_in)


@require_POST
def upload_drop(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Remove an upload that nobody wants to read in."""
    pool = get_editable(Pool.objects.select_related("project"), request.user, pk=pk)
    return previews.drop(request, previews.of_pool(pool), token)


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
        "waiting": previews.of_pool(found.pool).waiting(request),
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
    for row in rows.select_related("duplicate_of__pool").iterator(chunk_size=2000):
        cells = row.cells or {question: row.text}
        same = row.duplicate_of
        yield [
            *(cells.get(column, "") for column in job.columns),
            str(row.row_number),
            in_every_language(row.reason),
            row.column,
            row.text,
            f"#{same.pk} · {same.pool.name}" if same else "",
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
