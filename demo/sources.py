"""The demo's pools as the files that four offices would send, with flaws planted and counted.

Each office has its own file format, headers and encoding. A flaw is planted on purpose so that every step of
the loop has something to find: copies, rows without a key or a text, and benchmark questions that leaked.
"""

import csv
import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import xlsxwriter

from demo.field import FieldQuestion, make_benchmark, make_pool

SOURCE_NAME: Final = "qianti_demo"
FIELD_LICENCE: Final = "CC0-1.0"
PROVENANCE: Final = (
    "Made by Qianti's own generator for its demo, as the file of the {office}; no real office sent it."
)
# The taxonomy: code, name, parent and weight.
TAXONOMY: Final = (
    ("ledgers_and_dates", "Ledgers and dates 账目与日期", "", ""),
    ("accounting", "Running ledger 流水账", "ledgers_and_dates", "1"),
    ("law", "Days to a deadline 期限计算", "ledgers_and_dates", "1"),
    ("clock", "Clock arithmetic 钟表计算", "", "1"),
)

Cell = str | int
Row = Mapping[str, Cell]
Writer = Callable[[Path, Sequence[Row]], None]


@dataclass(frozen=True)
class Flaws:
    """How many flaws of each kind one file gets."""

    duplicates_within: int = 8
    duplicates_across: int = 6
    without_key: int = 5
    without_text: int = 4
    leaked: int = 3

    @property
    def in_own(self) -> int:
        """Return how many of an office's own questions get a flaw."""
        return self.duplicates_within + self.without_key + self.without_text


USUAL_FLAWS: Final = Flaws()


@dataclass(frozen=True)
class Share:
    """One office's questions, and which of them get which flaw (the last two by text)."""

    own: tuple[FieldQuestion, ...]
    twice: tuple[FieldQuestion, ...]
    across: tuple[FieldQuestion, ...]
    leaked: tuple[FieldQuestion, ...]
    keyless: frozenset[str]
    textless: frozenset[str]


@dataclass(frozen=True)
class PoolFile:
    """One office's file and what is in it; `duplicates_across` counts copies of rows in earlier files."""

    path: Path
    pool: str
    licence: str
    provenance: str
    rows: int
    distinct_questions: int
    duplicates_within: int
    duplicates_across: int
    without_key: int
    without_text: int
    leaked: int


@dataclass(frozen=True)
class FieldFiles:
    """All that the demo imports: the offices' files in their order, the benchmark and the taxonomy."""

    pools: tuple[PoolFile, ...]
    benchmark: Path
    taxonomy: Path


@dataclass(frozen=True)
class Office:
    """An office: its file, its share of the questions by language, and its names for the columns.

    `columns` maps this office's headers to what stands under them.
    """

    file_name: str
    pool: str
    licence: str
    shares: Mapping[str, float]
    columns: Mapping[str, str]
    write: Writer


def _table_text(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    path.write_bytes(_table_text(rows).encode("utf-8"))


def _write_gb18030(path: Path, rows: Sequence[Row]) -> None:
    path.write_bytes(_table_text(rows).encode("gb18030"))


def _write_json_lines(path: Path, rows: Sequence[Row]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _write_xlsx(path: Path, rows: Sequence[Row]) -> None:
    with xlsxwriter.Workbook(str(path)) as workbook:
        # A fixed date, so that the same seed writes the same bytes.
        workbook.set_properties({"created": datetime(2025, 1, 1, tzinfo=UTC).replace(tzinfo=None)})
        sheet = workbook.add_worksheet("Questions")
        sheet.write_row(0, 0, list(rows[0]))
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, list(row.values()))


OFFICES: Final = (
    Office(
        "examinations_office.csv",
        "Examinations office",
        "CC-BY-4.0",
        {"en": 0.45, "zh": 0.0},
        {"No.": "id", "Question": "question", "Answer": "answer", "Subject": "domain", "Marks": "marks"},
        _write_csv,
    ),
    Office(
        "教务处题库.csv",
        "教务处",
        "CC-BY-4.0",
        {"en": 0.0, "zh": 0.45},
        {"编号": "id", "题目": "question", "答案": "answer", "领域": "domain", "分值": "marks"},
        _write_gb18030,
    ),
    Office(
        "legal_training.jsonl",
        "Legal training centre",
        "MIT",
        {"en": 0.3, "zh": 0.3},
        {
            "id": "id",
            "question": "question",
            "answer": "answer",
            "domain": "domain",
            "language": "language",
            "marks": "marks",
        },
        _write_json_lines,
    ),
    Office(
        "accounting_institute.xlsx",
        "Accounting institute",
        FIELD_LICENCE,
        {"en": 0.25, "zh": 0.25},
        {"ID": "id", "Question": "question", "Key": "answer", "Domain": "domain", "Language": "language"},
        _write_xlsx,
    ),
)


def write(
    folder: Path, *, pool_size: int, benchmark_per_cell: int, seed: int, flaws: Flaws = USUAL_FLAWS
) -> FieldFiles:
    """Make the field's questions and write all of the demo's files, the same bytes for the same arguments."""
    folder.mkdir(parents=True, exist_ok=True)
    benchmark = make_benchmark(seed, benchmark_per_cell)
    pool = make_pool(seed, pool_size, {question.text for question in benchmark})
    files = FieldFiles(
        pools=tuple(write_pool_files(folder, pool, benchmark, seed=seed, flaws=flaws)),
        benchmark=folder / "benchmark.jsonl",
        taxonomy=folder / "taxonomy.csv",
    )
    write_benchmark(files.benchmark, benchmark)
    write_taxonomy(files.taxonomy)
    return files


def write_pool_files(
    folder: Path,
    pool: Sequence[FieldQuestion],
    benchmark: Sequence[FieldQuestion],
    *,
    seed: int,
    flaws: Flaws = USUAL_FLAWS,
) -> list[PoolFile]:
    """Write a pool as one file an office, in the order in which they are to be imported.

    Raises:
        ValueError: an office would get fewer questions than it has flaws to plant in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"sources {seed}")
    leaks = rng.sample(list(benchmark), flaws.leaked * len(OFFICES))
    written: list[PoolFile] = []
    earlier: list[FieldQuestion] = []
    for number, (office, own) in enumerate(zip(OFFICES, _share_out(rng, pool), strict=True)):
        leaked = leaks[number * flaws.leaked : (number + 1) * flaws.leaked]
        share = _plant(rng, own, earlier, leaked, flaws)
        written.append(_write_office(rng, folder, office, share))
        # A copy is one only of a row that has its text and its key.
        earlier += [question for question in own if question.text not in share.textless | share.keyless]
    return written


def write_benchmark(path: Path, benchmark: Sequence[FieldQuestion]) -> int:
    """Write the held-out questions as JSON Lines, marks growing with the steps; return how many."""
    rows = [
        {
            "id": f"{SOURCE_NAME}-{question.domain}-{question.language}-{question.steps}-{number}",
            "source": SOURCE_NAME,
            "domain": question.domain,
            "question": question.text,
            "options": None,
            "answer": question.answer,
            "solution": question.thinking,
            "marks": question.steps,
            "language": question.language,
            "licence": FIELD_LICENCE,
        }
        for number, question in enumerate(benchmark)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return len(rows)


def write_taxonomy(path: Path) -> int:
    """Write the field's domains as a table; return how many."""
    columns = ("code", "name", "parent", "weight")
    _write_csv(path, [dict(zip(columns, domain, strict=True)) for domain in TAXONOMY])
    return len(TAXONOMY)


def _share_out(rng: random.Random, pool: Sequence[FieldQuestion]) -> list[list[FieldQuestion]]:
    """Deal the questions to the offices by language."""
    shares: list[list[FieldQuestion]] = [[] for _ in OFFICES]
    for question in pool:
        weights = [office.shares[question.language] for office in OFFICES]
        shares[rng.choices(range(len(OFFICES)), weights)[0]].append(question)
    return shares


def _plant(
    rng: random.Random,
    own: Sequence[FieldQuestion],
    earlier: Sequence[FieldQuestion],
    leaked: Sequence[FieldQuestion],
    flaws: Flaws,
) -> Share:
    """Choose which of an office's questions get which flaw; no question gets two.

    Raises:
        ValueError: there are fewer questions than flaws.
    """
    across = flaws.duplicates_across if earlier else 0
    if len(own) < flaws.in_own or len(earlier) < across:
        raise ValueError(f"An office gets {len(own)} questions for {flaws.in_own} flaws: make a larger pool.")
    chosen = rng.sample(own, flaws.in_own)
    keyless_from = flaws.duplicates_within
    textless_from = flaws.duplicates_within + flaws.without_key
    return Share(
        own=tuple(own),
        twice=tuple(chosen[:keyless_from]),
        across=tuple(rng.sample(earlier, across)),
        leaked=tuple(leaked),
        keyless=frozenset(question.text for question in chosen[keyless_from:textless_from]),
        textless=frozenset(question.text for question in chosen[textless_from:]),
    )


def _write_office(rng: random.Random, folder: Path, office: Office, share: Share) -> PoolFile:
    """Write one office's share in a drawn order, and count what is in it."""
    order = [*share.own, *share.twice, *share.across, *share.leaked]
    rng.shuffle(order)
    rows = [_row(office, share, number, question) for number, question in enumerate(order, start=1)]
    office.write(folder / office.file_name, rows)
    return PoolFile(
        path=folder / office.file_name,
        pool=office.pool,
        licence=office.licence,
        provenance=PROVENANCE.format(office=office.pool),
        rows=len(rows),
        distinct_questions=len(share.own) - len(share.textless) + len(share.leaked),
        duplicates_within=len(share.twice),
        duplicates_across=len(share.across),
        without_key=len(share.keyless),
        without_text=len(share.textless),
        leaked=len(share.leaked),
    )


def _row(office: Office, share: Share, number: int, question: FieldQuestion) -> Row:
    """Return one row under the office's own headers."""
    cells: dict[str, Cell] = {
        "id": number,
        "question": "" if question.text in share.textless else question.text,
        "answer": "" if question.text in share.keyless else question.answer,
        "domain": question.domain,
        "language": question.language,
        "marks": question.steps,
    }
    return {header: cells[meaning] for header, meaning in office.columns.items()}
