"""The real question pools: 59,633 rows of 16 sources in two languages, and five benchmarks."""

import json
from collections import Counter
from functools import cache

import pytest

from curator.core.overlap import Passage, leaks
from curator.core.rows import QuestionRow, full_mapping, read_row
from curator.readers import open_table

pytestmark = pytest.mark.real_pools


@cache
def read_folder(folder):
    """Return each file's rows, as read and as they stand in the file."""
    outcome = {}
    for path in sorted(folder.glob("*.jsonl.gz")):
        table = open_table(path)
        mapping = full_mapping(table.columns, None)
        outcome[path.name] = [(read_row(row, mapping, number), row) for number, row in table.numbered()]
    return outcome


@pytest.fixture
def pools(real_pools):
    return read_folder(real_pools / "pool_59k")


@pytest.fixture
def benchmarks(real_pools):
    return read_folder(real_pools / "benchmarks")


def passages(files):
    rows = {
        row.content_hash: Passage(f"{name}/{row.row_number}", row.text, row.options)
        for name, pairs in files.items()
        for row, _raw in pairs
    }
    return list(rows.values())


def test_every_row_of_every_pool_is_read_and_none_is_rejected(real_pools, pools):
    manifest = json.loads((real_pools / "manifest.json").read_text())
    wanted = {entry["file"]: entry["rows"] for entry in manifest if entry["file"].startswith("pool_59k/")}

    read = {
        f"pool_59k/{name}": sum(isinstance(row, QuestionRow) for row, _raw in pairs)
        for name, pairs in pools.items()
    }

    assert read == wanted
    assert (len(read), sum(read.values())) == (16, 59_633)


def test_text_options_key_and_language_are_those_of_the_file(pools):
    other = Counter()
    for pairs in pools.values():
        for row, raw in pairs:
            other["options"] += len(row.options) != len(raw["options"] or [])
            other["language"] += row.language != raw["language"]
            other["key"] += row.key != raw["answer"].strip()
            other["no key"] += not row.key

    # Nine keys are put into the one form of letters: "bd" becomes "BD". The questions of 1,523 rows end in
    # their options, which are split off; the files list none for these.
    assert other == {"options": 1523, "language": 0, "key": 9, "no key": 0}


def test_duplicates_within_and_across_sources_are_found(pools):
    rows = Counter(row.content_hash for pairs in pools.values() for row, _raw in pairs)

    assert sum(rows.values()) - len(rows) == 504


def test_known_leaks_are_found_and_they_are_few(pools, benchmarks):
    hits = leaks(passages(pools), passages(benchmarks))

    by_benchmark = Counter(hit.item.partition(".")[0] for hit in hits)
    assert by_benchmark["math500"] > 150  # the MATH sample of AGIEval is drawn from the same test set
    assert by_benchmark["nje_judicial_exam"] > 10
    assert len(hits) < 500  # s1's rule would drop 2,228
    assert [hit.likeness >= 0.8 for hit in hits if hit.kind == "fuzzy"] == [True] * 4
