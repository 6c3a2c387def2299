"""The field's domains, read from a file or typed in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.core.text import neutralise
from common.models import Project
from curator import readers
from curator.models import Domain

LONGEST_CODE, LONGEST_NAME = 100, 200  # characters
_NAMES = {
    "code": ("code", "id", "编号", "代码"),
    "name": ("name", "title", "名称", "领域"),
    "parent": ("parent", "上级", "父级"),
    "weight": ("weight", "share", "权重", "比重"),
}


@transaction.atomic
def import_taxonomy(*, project: Project, path: Path, file_name: str = "") -> int:
    """Read the domains of a syllabus (code, name, parent, weight); those there are renamed and reweighted.

    Raises:
        Refusal: no table, no column of codes, a code twice or too long, an unknown parent, or a weight
            that is no number.
    """
    table = readers.open_table(path, file_name)
    columns = {
        field: next((column for column in table.columns if column.strip().casefold() in names), "")
        for field, names in _NAMES.items()
    }
    if not columns["code"]:
        raise Refusal(
            _("%(file)s has no column “code”; it has %(columns)s.")
            % {"file": file_name or path.name, "columns": ", ".join(table.columns)}
        )
    rows = [{field: _cell(row, column) for field, column in columns.items()} for row in table.rows]
    _refuse_twice(rows, table.first_row)
    for number, row in enumerate(rows, start=table.first_row):
        _save(project, row, number)
    for number, row in enumerate(rows, start=table.first_row):
        _join(project, row, number)
    return len(rows)


def _cell(row: dict[str, Any], column: str) -> str:
    found = row.get(column)
    if isinstance(found, float) and found.is_integer():
        found = int(found)  # a spreadsheet's 1.0 is the code 1
    return "" if not column or found is None else neutralise(str(found))[0].strip()


def _refuse_twice(rows: Sequence[dict[str, str]], first_row: int) -> None:
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=first_row):
        if row["code"] in seen:
            raise Refusal(
                _("Row %(row)s: the code “%(code)s” stands in row %(first)s already; remove one.")
                % {"row": number, "code": row["code"], "first": seen[row["code"]]}
            )
        if row["code"]:
            seen[row["code"]] = number


def _save(project: Project, row: dict[str, str], number: int) -> None:
    if not row["code"]:
        raise Refusal(_("Row %(row)s has no code; give it one.") % {"row": number})
    for field, most in (("code", LONGEST_CODE), ("name", LONGEST_NAME)):
        if len(row[field]) > most:
            raise Refusal(
                _("Row %(row)s: the %(field)s has %(length)s characters, more than %(most)s; shorten it.")
                % {"row": number, "field": field, "length": len(row[field]), "most": most}
            )
    weight = _weight(row["weight"], number)
    Domain.objects.update_or_create(
        project=project, code=row["code"], defaults={"name": row["name"] or row["code"], "weight": weight}
    )


def _weight(text: str, number: int) -> float | None:
    try:
        weight = float(text) if text else None
    except ValueError as error:
        raise Refusal(
            _("Row %(row)s: the weight “%(weight)s” is no number.") % {"row": number, "weight": text}
        ) from error
    if weight is not None and not 0 <= weight < float("inf"):
        raise Refusal(
            _("Row %(row)s: the weight %(weight)s is not 0 or more.") % {"row": number, "weight": weight}
        )
    return weight


def _join(project: Project, row: dict[str, str], number: int) -> None:
    if not row["parent"]:
        return
    parent = Domain.objects.filter(project=project, code=row["parent"]).first()
    if parent is None:
        raise Refusal(
            _("Row %(row)s names the parent “%(parent)s”, which is not in the file.")
            % {"row": number, "parent": row["parent"]}
        )
    if row["code"] in _ancestors(parent):
        raise Refusal(
            _("Row %(row)s: “%(code)s” would be its own ancestor.") % {"row": number, "code": row["code"]}
        )
    Domain.objects.filter(project=project, code=row["code"]).update(parent=parent)


def _ancestors(domain: Domain | None) -> set[str]:
    codes: set[str] = set()
    while domain is not None and domain.code not in codes:
        codes.add(domain.code)
        domain = domain.parent
    return codes
