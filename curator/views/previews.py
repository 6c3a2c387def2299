"""A file's first rows with what its columns seem to mean: one page, wherever a file of questions goes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.models import Project
from common.queries import get_rights
from common.sentences import in_readers_language
from curator import queries, readers
from curator.core.layouts import look_like_traces
from curator.core.rows import QuestionRow
from curator.forms import MappingForm, ReadingForm
from curator.models import Pool
from curator.services import uploads


@dataclass(frozen=True)
class Goal:
    """Where a file goes, and the addresses of its preview and of what leaves it out."""

    place: uploads.Place
    project: Project
    name: str
    url: str
    current: str  # in the navigation
    preview_name: str
    drop_name: str
    key: int | str  # of the goal, in addresses

    def preview_of(self, token: str) -> str:
        """Return the address of a file's preview."""
        return reverse(self.preview_name, args=[self.key, token])

    def drop_of(self, token: str) -> str:
        """Return the address that leaves a file out."""
        return reverse(self.drop_name, args=[self.key, token])

    def waiting(self, request: HttpRequest) -> "list[Waiting]":
        """Return the files of a person that wait to be looked at."""
        return [
            Waiting(each, self.preview_of(each.token), self.drop_of(each.token))
            for each in uploads.waiting(pool=self.place, by=request.user)
        ]


@dataclass(frozen=True)
class Waiting:
    """A file that waits to be looked at."""

    upload: uploads.Upload
    preview_url: str
    drop_url: str


@dataclass(frozen=True)
class Confirmed:
    """A file of which a person has said what its columns mean and how it is written."""

    upload: uploads.Upload
    columns: Sequence[str]
    mapping: Mapping[str, str]
    reading: readers.Reading


ReadIn = Callable[[Confirmed], HttpResponse]  # reads a file in and says where to go; may raise a Refusal


def of_pool(pool: Pool) -> Goal:
    """Return a pool as the goal of files."""
    url = pool.get_absolute_url()
    return Goal(pool, pool.project, pool.name, url, "pools", "upload_preview", "upload_drop", pool.pk)


def of_benchmarks(project: Project) -> Goal:
    """Return a project's benchmarks as the goal of files, each of which becomes one."""
    return Goal(
        uploads.ForBenchmark(project),
        project,
        _("Benchmarks"),
        reverse("benchmarks", args=[project.slug]),
        "benchmarks",
        "benchmark_preview",
        "benchmark_drop",
        project.slug,
    )


@dataclass
class Sent:
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


def keep_tables(request: HttpRequest, goal: Goal, file: Any, sent: Sent) -> None:
    """Keep the tables of one file, and those that a person may have to say how to read, which do not wait.

    Of what is inside an archive and is no table, say so and keep the others.

    Raises:
        Refusal: nothing of it can be kept.
    """
    for each in uploads.keep(pool=goal.place, content=file.file, file_name=file.name, by=request.user):
        address = goal.preview_of(each.token)
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


def drop(request: HttpRequest, goal: Goal, token: str) -> HttpResponse:
    """Remove an upload that nobody wants to read in."""
    try:
        uploads.drop(upload=uploads.find(pool=goal.place, token=token, by=request.user))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect(goal.url)


def look(
    request: HttpRequest, goal: Goal, token: str, read_in: ReadIn, about: forms.Form | None = None
) -> HttpResponse:
    """Show a file's first rows with how it seems to be written and what its columns seem to mean.

    Both can be corrected; it is read in once they are confirmed. `about` asks what else must be known.
    """
    try:
        kept = uploads.find(pool=goal.place, token=token, by=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(goal.url)
    asked, said = _reading_form(request, goal, kept), _said(request)
    try:
        preview = queries.get_preview(kept.path, kept.file_name, asked.reading)
    except Refusal as refusal:
        kind = queries.get_kind(kept.path, kept.file_name)
        asked.show_refused(kind, queries.get_sheets(kept.path, kept.file_name))
        shown = {"asked": asked, "refusal": refusal, "said": said, "about": about}
        return _page(request, goal, kept, shown)
    columns = preview.table.columns
    asked.show(preview.table)
    remembered = queries.get_remembered(goal.project, columns)
    are_same = _shown_columns(request) in (None, list(columns))
    meanings = request.POST if request.method == "POST" and are_same else None
    form = MappingForm(meanings, columns=columns, remembered=remembered, said=said)
    answer = _confirmed(request, kept, asked, form, read_in, about)
    if answer is not None:
        return answer
    shown = {
        "about": about,
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
    return _page(request, goal, kept, shown)


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


def _reading_form(request: HttpRequest, goal: Goal, kept: uploads.Upload) -> ReadingForm:
    """Return how a person says that a file is written, or said of the last one like it."""
    if request.method == "POST":
        return ReadingForm(request.POST)
    return ReadingForm(remembered=queries.get_remembered_reading(goal.project, kept.path, kept.file_name))


def _confirmed(
    request: HttpRequest,
    kept: uploads.Upload,
    asked: ReadingForm,
    form: MappingForm,
    read_in: ReadIn,
    about: forms.Form | None,
) -> HttpResponse | None:
    """Read a file in, if all that was said of it holds and it is not only to be shown again."""
    if not (form.is_bound and asked.is_valid() and form.is_valid()) or "show" in request.POST:
        return None
    if about is not None and not about.is_valid():
        return None
    try:
        return read_in(Confirmed(kept, form.all_columns, form.cleaned_data["mapping"], asked.reading))
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return None


def _page(request: HttpRequest, goal: Goal, kept: uploads.Upload, shown: Mapping[str, Any]) -> HttpResponse:
    context = {
        "project": goal.project,
        "rights": get_rights(goal.project, request.user),
        "goal": goal,
        "upload": kept,
        "drop_url": goal.drop_of(kept.token),
        "others": [each for each in goal.waiting(request) if each.upload.path != kept.path],
    }
    kept_for_later = {name: json.dumps(shown.get(name, []), ensure_ascii=False) for name in ("shown", "said")}
    return render(request, "curator/upload_preview.html", {**context, **shown, **kept_for_later})


def _read(preview: queries.Preview, form: MappingForm) -> list[tuple[bool, object]]:
    """Return the first rows as the mapping reads them, each with whether it becomes a question."""
    if form.is_bound and not form.is_valid():
        return []
    mapping = form.cleaned_data["mapping"] if form.is_bound else form.first
    if not mapping.get("question"):
        return []
    used = {field: column for field, column in mapping.items() if column}
    return [(isinstance(row, QuestionRow), row) for row in preview.read_with(used)]
