"""Cells of spreadsheets, none of which runs as a formula."""

import json
import re
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*%?")


def spreadsheet_cell(value: Any) -> str:
    """Return a value as a cell that no spreadsheet runs as a formula."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _PLAIN_NUMBER.fullmatch(text) else text


def cell_without_mark(cell: Any) -> Any:
    """Return what `spreadsheet_cell` made a cell of, for a spreadsheet that comes back."""
    bare = cell[1:] if isinstance(cell, str) else ""
    return bare if bare and spreadsheet_cell(bare) == cell else cell
