"""Many rows at once: what whole columns can say is found in them, and the rest row by row.

Most rows of most files hold nothing unusual. They are told from the others by expressions over columns,
and become questions without a call for each cell; every other row takes the careful way of `read_row`.
Both ways give the same rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import orjson
import polars as pl

from curator.core.rows.cells import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_OPTIONS,
    Refused,
    read_language,
    read_marks,
    read_rating,
    read_tags,
    shown,
)
from curator.core.rows.names import has_numbered_options
from curator.core.rows.options import (
    BEFORE_OPTIONS,
    MAY_HOLD_OPTIONS,
    option_list,
    read_key,
    without_empty_end,
)
from curator.core.rows.questions import QuestionRow, Rejected, read_row

ROWS_AT_ONCE = 4096
# The fields that are texts, in the order that `_question` takes them, and their most characters.
_TEXTS = {
    "question": LONGEST_TEXT,
    "key": LONGEST_TEXT,
    "solution": LONGEST_TEXT,
    "marks": LONGEST_NAME,
    "language": LONGEST_NAME,
    "domain": LONGEST_NAME,
    "external_id": LONGEST_NAME,
    "rating": LONGEST_NAME,
}
# At least all that `neutralise` changes.
_HARMFUL = (
    r"[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{feff}\x{fffe}\x{ffff}]|<[|｜]"
    r"|</?(?:think|tool_call|s|bos|eos|unk|pad|sop|start_of_turn|end_of_turn)>|<</?SYS>>|\[/?(?:INST|gMASK)\]"
)


class Column(Sequence[Any]):
    """A column of a table; a part of it is taken out without the rest."""

    def __init__(self, series: pl.Series) -> None:
        self.series = series

    def __len__(self) -> int:
        return len(self.series)

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> list[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        """Return one cell, or a list of cells."""
        found = self.series[place]
        return found.to_list() if isinstance(found, pl.Series) else found

    def __iter__(self) -> Iterator[Any]:
        for begin in range(0, len(self), ROWS_AT_ONCE):
            yield from self.series[begin : begin + ROWS_AT_ONCE].to_list()


def read_table(
    columns: Mapping[str, Sequence[Any]], mapping: Mapping[str, str], first_row: int
) -> Iterator[QuestionRow | Rejected]:
    """Yield each row of a table as a question or a refusal, as `read_row` does and several times faster.

    `columns` are all the file's columns, of one length; `first_row` is the number of the first row as a
    person sees it.
    """
    for begin in range(0, _length(columns), ROWS_AT_ONCE):
        yield from _Part(columns, mapping, first_row, begin).rows()


def _length(columns: Mapping[str, Sequence[Any]]) -> int:
    return len(next(iter(columns.values()), ()))


class _Part:
    """Some rows of a table: their fields as lists, and the places of the rows that have something unusual."""

    def __init__(
        self, columns: Mapping[str, Sequence[Any]], mapping: Mapping[str, str], first_row: int, begin: int
    ) -> None:
        self.columns, self.mapping, self.first_row, self.begin = columns, mapping, first_row, begin
        self.end = min(begin + ROWS_AT_ONCE, _length(columns))
        self.unusual: set[int] = set()

    def rows(self) -> Iterator[QuestionRow | Rejected]:
        """Yield the questions and refusals of these rows."""
        fields = self._fields()
        for place, cells in enumerate(fields):
            if place in self.unusual:
                yield self._carefully(place)
                continue
            try:
                row: QuestionRow | Rejected = _question(self.first_row + self.begin + place, *cells)
            except Refused:
                row = self._carefully(place)
            yield row

    def _carefully(self, place: int) -> QuestionRow | Rejected:
        row = {name: cells[self.begin + place] for name, cells in self.columns.items()}
        return read_row(row, self.mapping, self.first_row + self.begin + place)

    def _fields(self) -> Iterator[tuple[Any, ...]]:
        """Return an iterator over the rows' cells, in the order that `_question` takes them."""
        lettered = sorted(field for field in self.mapping if field.startswith("option "))
        texts = self._texts([*_TEXTS, *([] if self._has("options") else lettered)])
        columns = [texts[field] for field in texts.columns if field in lettered]
        options = self._listed() if self._has("options") else _from_columns(columns, texts.height)
        self._note_split_off(texts["question"], options)
        if has_numbered_options(self.mapping):
            self._note(texts["key"].str.contains(r"^\d{1,2}$"))
        tags = self._cells("tags") if self._has("tags") else [None] * texts.height
        return zip(options, tags, *(texts[field].to_list() for field in _TEXTS), strict=True)

    def _has(self, field: str) -> bool:
        return self.mapping.get(field) in self.columns

    def _cells(self, field: str) -> list[Any]:
        """Return a field's cells as the file gives them."""
        return list(self.columns[self.mapping[field]][self.begin : self.end])

    def _texts(self, fields: Sequence[str]) -> pl.DataFrame:
        """Return the cells of fields as stripped texts; the rows of too long or harmful ones are noted."""
        cells = pl.LazyFrame({field: self._series(field) for field in fields})
        unusual = pl.any_horizontal(
            pl.col("question") == "",
            pl.all().str.contains(_HARMFUL),
            *(pl.col(field).str.len_bytes() > _TEXTS.get(field, LONGEST_TEXT) for field in fields),
        )
        # Whatever is asked of the columns is asked at once: each call of its own costs more than its work.
        stripped = cells.select(pl.all().fill_null("").str.strip_chars())
        texts = stripped.with_columns(unusual.alias("unusual")).collect()
        self._note(texts.drop_in_place("unusual"))
        return texts

    def _note_split_off(self, questions: pl.Series, options: Sequence[tuple[str, ...]]) -> None:
        """Note the rows without options whose question may end in them."""
        alone = pl.Series([place for place, given in enumerate(options) if not given], dtype=pl.UInt32)
        if len(alone):
            may_hold = questions.gather(alone).str.contains(MAY_HOLD_OPTIONS)
            self.unusual.update(alone.filter(may_hold).to_list())

    def _series(self, field: str) -> pl.Series:
        if not self._has(field):
            return pl.repeat("", self.end - self.begin, eager=True)
        cells = self.columns[self.mapping[field]]
        if isinstance(cells, Column) and cells.series.dtype == pl.String:
            return cells.series[self.begin : self.end]
        try:
            return pl.Series([shown(cell) for cell in cells[self.begin : self.end]], dtype=pl.String)
        except (Refused, UnicodeEncodeError):  # too deep a list, or a lone surrogate, somewhere
            self.unusual.update(range(self.end - self.begin))
            return pl.repeat("", self.end - self.begin, eager=True)

    def _note(self, unusual: pl.Series) -> None:
        self.unusual.update(unusual.arg_true().to_list())

    def _listed(self) -> list[tuple[str, ...]]:
        """Return the options of the column that lists them."""
        found: list[tuple[str, ...]] = []
        for place, cell in enumerate(self._cells("options")):
            try:
                found.append(_plain_list(cell) or tuple(option_list(cell)))
            except Refused:
                found.append(())
                self.unusual.add(place)
        self.unusual.update(place for place, options in enumerate(found) if len(options) > MOST_OPTIONS)
        try:
            joined = pl.DataFrame({"options": ["\n".join(options) for options in found]})
        except UnicodeEncodeError:  # a lone surrogate
            self.unusual.update(range(len(found)))
        else:
            options = pl.col("options").str
            unusual = options.contains(_HARMFUL) | (options.len_bytes() > LONGEST_TEXT)
            self._note(joined.select(unusual).to_series())
        return found


def _plain_list(cell: Any) -> tuple[str, ...]:
    """Return options written as a JSON list of texts without letters; none for any other cell."""
    if type(cell) is not str or cell[:1] != "[" or len(cell) > LONGEST_TEXT:
        return ()
    try:
        options = tuple(map(str.strip, orjson.loads(cell)))
    except (orjson.JSONDecodeError, TypeError):
        return ()
    return () if options and options[0][:1] in BEFORE_OPTIONS else options


def _from_columns(columns: Sequence[pl.Series], rows_total: int) -> list[tuple[str, ...]]:
    """Return options that have one column each."""
    if not columns:
        return [()] * rows_total
    cells = zip(*(column.to_list() for column in columns), strict=True)
    return [tuple(without_empty_end(list(row))) for row in cells]


def _question(
    row_number: int,
    options: tuple[str, ...],
    tags: Any,
    text: str,
    key: str,
    solution: str,
    marks: str,
    language: str,
    domain: str,
    external_id: str,
    rating: str,
) -> QuestionRow:
    given, neutralised = read_tags(tags) if tags else ((), False)
    row = object.__new__(QuestionRow)
    # A frozen dataclass sets its fields by a call each; for many rows that is a tenth of the whole time.
    row.__dict__.update(
        row_number=row_number,
        text=text,
        options=options,
        key=read_key(key, options) if options else key,
        solution=solution,
        marks=read_marks(marks) if marks else None,
        language=read_language(language, text),
        domain=domain,
        external_id=external_id,
        neutralised=neutralised,
        rating=read_rating(rating) if rating else None,
        tags=given,
    )
    return row
