"""Datasets: the frozen versions, their cards, rows and files."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from django.db.models import F
from django.http import FileResponse, HttpResponse
from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Schema
from pydantic import Field

from common.access import Right
from common.api.asking import ApiRequest, editable, project_with, visible
from common.api.errors import answers
from common.api.values import Asked, PageAsked, PageOut
from common.downloads import sent
from common.paging import Order
from curator import queries
from curator.core.licences import Purpose
from curator.models import Dataset
from curator.services import datasets as services
from curator.services import versions

router = Router(tags=[_("Datasets")])
RELATED = ("project", "selection", "parent", "created_by")
NEWEST = Order(is_down=True)
IN_ORDER = Order(F("position"), read=int)


class DatasetRow(Schema):
    """A dataset in a list."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["first thousand 1f3870be"])
    content_hash: str = Field(description=_("Of all rows: what the version is known by."))
    rows: int = Field(examples=[1000])
    selection: int
    parent: int | None = Field(description=_("The version of which its selection began as a copy."))
    is_current: bool = Field(description=_("It is the one that the project works with."))
    created_at: datetime


class DatasetPage(PageOut):
    """A page of datasets."""

    items: list[DatasetRow]


class DatasetOut(DatasetRow):
    """A dataset with its card."""

    conditions: list[str] = Field(
        description=_("What the licences of its sources ask, the most restrictive first."),
        examples=[["attribution"]],
    )
    card: dict[str, Any] = Field(
        description=_("Sources, teachers, method, reviews and agreement as they were when it was frozen.")
    )


class RowOut(Schema):
    """One row of a dataset: a question with its trace, as frozen."""

    position: int
    content: dict[str, Any] = Field(
        description=_(
            "As in the format jsonl: question, options, key, thinking, answer and their provenance."
        )
    )


class RowPage(PageOut):
    """A page of rows."""

    items: list[RowOut]


class DownloadAsked(Asked):
    """Which file, and what for."""

    format: Literal[
        "jsonl",
        "messages",
        "s1",
        "trl",
        "openai",
        "together",
        "siliconflow",
        "csv",
        "xlsx",
        "parquet",
        "hf",
    ] = Field(default="jsonl", description=_("“hf” is a folder and comes as a ZIP archive."))
    purpose: Literal["own", "share", "sell"] = Field(
        default="own",
        description=_("What a licence or a teacher's terms forbid is refused, with their names."),
    )


@router.get(
    "/projects/{slug:slug}/datasets",
    response=answers(DatasetPage),
    summary=_("List datasets"),
    description=_("The frozen versions of a project, newest first."),
)
def datasets(request: ApiRequest, slug: str, asked: Query[PageAsked]) -> DatasetPage:
    """Return a page of datasets."""
    project = project_with(request, slug, Right.SEE_MATERIAL)
    page = asked.page_of(Dataset.objects.filter(project=project), NEWEST, lambda rows: rows.defer("card"))
    return DatasetPage(items=[DatasetRow(**_said(row)) for row in page.rows], after=page.after)


def _said(dataset: Dataset) -> dict[str, Any]:
    return {
        "id": dataset.pk,
        "name": dataset.name,
        "content_hash": dataset.content_hash,
        "rows": dataset.row_count,
        "selection": dataset.selection_id,
        "parent": dataset.parent_id,
        "is_current": dataset.is_current,
        "created_at": dataset.created_at,
    }


@router.get(
    "/datasets/{int:number}",
    response=answers(DatasetOut),
    summary=_("One dataset"),
    description=_("A version with its card and what its sources ask of whoever uses it."),
)
def dataset(request: ApiRequest, number: int) -> DatasetOut:
    """Return one dataset."""
    return dataset_said(visible(request, Dataset, pk=number))


def dataset_said(dataset: Dataset) -> DatasetOut:
    """Return a dataset with its card."""
    conditions = [str(condition.value) for condition in queries.get_together(dataset).conditions]
    return DatasetOut(**_said(dataset), conditions=conditions, card=dataset.card)


@router.get(
    "/datasets/{int:number}/rows",
    response=answers(RowPage),
    summary=_("List a dataset's rows"),
    description=_("In their order, as frozen; to have them all, download the file."),
)
def dataset_rows(request: ApiRequest, number: int, asked: Query[PageAsked]) -> RowPage:
    """Return a page of rows."""
    page = asked.page_of(visible(request, Dataset, pk=number).rows.all(), IN_ORDER)
    items = [RowOut(position=row.position, content=row.content) for row in page.rows]
    return RowPage(items=items, after=page.after)


@router.get(
    "/datasets/{int:number}/download",
    response=answers(None),
    summary=_("Download a dataset"),
    description=_("The file that the page sends; the SHA-256 of the format jsonl is the version's hash."),
    openapi_extra={
        "responses": {
            200: {
                "description": _("The file, under its name."),
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        }
    },
)
def dataset_download(
    request: ApiRequest, number: int, asked: Query[DownloadAsked]
) -> HttpResponse | FileResponse:
    """Send a dataset as a file, for a purpose that its sources allow."""
    found = visible(request, Dataset.objects.select_related(*RELATED), pk=number)
    with TemporaryDirectory(prefix="qianti-") as folder:
        path = services.export_to_one_file(
            dataset=found, file_format=asked.format, folder=Path(folder), purpose=Purpose(asked.purpose)
        )
        return sent(path)


@router.put(
    "/datasets/{int:number}/current",
    response=answers(DatasetOut),
    summary=_("Make a dataset the current one"),
    description=_("Marks it as the version that the project works with, in the place of any other."),
)
def dataset_current(request: ApiRequest, number: int) -> DatasetOut:
    """Mark a dataset as current."""
    found = editable(request, Dataset, pk=number)
    versions.mark_current(dataset=found)
    return dataset_said(found)
