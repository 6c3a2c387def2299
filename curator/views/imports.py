"""A file on its way into a pool: chosen, looked at, read, reported, and perhaps taken back."""

import csv
from collections.abc import Iterator

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.access import Right, get_editable, get_visible
from common.core.refusal import Refusal
from common.htmx import render_page
from common.queries import get_rights
from curator import queries, tasks
from curator.core.rows import QuestionRow
from curator.exports import spreadsheet_cell
from curator.forms import MappingForm, UploadForm
from curator.models import Import, Pool, RowReport
from curator.services import pools as services
from curator.services import uploads
from curator.views import jobs

REPORTS_A_PAGE = 50


@require_POST
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a file for its preview."""
    pool = get_editable(Pool.objects.select_related("project"), request.user, pk=pk)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            token = uploads.keep(pool=pool, content=file.file, file_name=file.name, by=request.user)
        except Refusal as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("upload_preview", pk=pk, token=token)
    context = {
        "project": pool.project,
        "rights": get_rights(pool.project, request.user),
        "pool": queries.get_pools(pool.project).get(pk=pk),
        "imports": queries.get_imports(pool),
        "form": form,
    }
    return render(request, "curator/pool.html", context)


@require_http_methods(["GET", "POST"])
def upload_preview(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Show a file's first rows with what its columns seem to mean; read it in once that is confirmed."""
    pool = get_editable(Pool.objects.select_related("project"), request.user, pk=pk)
    try:
        kept = uploads.find(pool=pool, token=token, by=request.user)
        preview = queries.get_preview(kept.path, kept.file_name)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(pool)
    form = MappingForm(request.POST or None, columns=preview.table.columns)
    if request.method == "POST" and form.is_valid() and "show" not in request.POST:
        try:
            job = services.start_import(
                pool=pool,
                content=kept.path,
                file_name=kept.file_name,
                mapping=form.cleaned_data["mapping"],
                by=request.user,
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            uploads.drop(upload=kept)
            tasks.run_import.delay_on_commit(job_id=job.pk)
            return redirect(job)
    context = {
        "project": pool.project,
        "rights": get_rights(pool.project, request.user),
        "pool": pool,
        "upload": kept,
        "table": preview.table,
        "columns": list(zip(form, (samples for _column, samples in preview.samples), strict=True)),
        "form": form,
        "rows": _read(preview, form),
    }
    return render(request, "curator/upload_preview.html", context)


def _read(preview: queries.Preview, form: MappingForm) -> list[tuple[bool, object]]:
    """Return the first rows as the mapping reads them, each with whether it becomes a question."""
    if form.is_bound and not form.is_valid():
        return []
    mapping = form.cleaned_data["mapping"] if form.is_bound else form.guessed()
    if not mapping.get("question"):
        return []
    used = {field: column for field, column in mapping.items() if column}
    return [(isinstance(row, QuestionRow), row) for row in preview.read_with(used)]


@require_GET
def import_(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how an import goes, and then what became of every row."""
    found = get_visible(Import.objects.select_related("pool__project", "created_by"), request.user, pk=pk)
    kind = request.GET.get("kind", "")
    rows = queries.get_reports(found, kind=kind if kind in RowReport.Kind.values else "")
    context = {
        "project": found.project,
        "rights": get_rights(found.project, request.user),
        "job": found,
        "kind": kind,
        "mapping": [(field, column) for field, column in found.mapping.items() if column],
        "reasons": [] if found.is_active else services.reasons(found),
        "page": Paginator(rows, REPORTS_A_PAGE).get_page(request.GET.get("page")),
    }
    return render_page(request, "curator/import.html", context, partial="progress")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


@require_GET
def import_report(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Send every row that became no question as a spreadsheet."""
    found = get_visible(Import, request.user, pk=pk)
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow([_("row"), _("kind"), _("column"), _("reason"), _("text")])
        for row in queries.get_reports(found).iterator(chunk_size=2000):
            cells = (row.row_number, row.get_kind_display(), row.column, row.reason, row.text)
            yield writer.writerow([spreadsheet_cell(cell) for cell in cells])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{found.pk}-report.csv"'
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
        services.undo_import(job=found)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    messages.success(request, _("The questions of %(file)s are gone.") % {"file": found.file_name})
    return redirect(found.pool)
