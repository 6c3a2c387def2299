"""The offices' files hold exactly the flaws that were counted."""

import csv
import io
import json
from dataclasses import replace

import polars as pl
import pytest

from demo.field import make_benchmark, make_pool, solve
from demo.sources import FIELD_LICENCE, Flaws, write, write_benchmark, write_pool_files, write_taxonomy

QUESTION_HEADERS = ("Question", "题目", "question")
KEY_HEADERS = ("Answer", "答案", "answer", "Key")


def rows_of(path):
    """Read a file as any program would that knows nothing of the writer."""
    if path.suffix == ".xlsx":
        rows = pl.read_excel(path, infer_schema_length=0).to_dicts()
    elif path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    else:
        encoding = "gb18030" if "题库" in path.name else "utf-8"
        rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(encoding))))
    return [
        (
            next(row[header] for header in QUESTION_HEADERS if header in row) or "",
            next(row[header] for header in KEY_HEADERS if header in row) or "",
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def benchmark():
    return make_benchmark(1, 2)


@pytest.fixture(scope="module")
def pool(benchmark):
    return make_pool(1, 900, {question.text for question in benchmark})


@pytest.fixture(scope="module")
def files(tmp_path_factory, pool, benchmark):
    return write_pool_files(tmp_path_factory.mktemp("pools"), pool, benchmark, seed=1)


def test_the_flaws_in_the_files_are_those_that_were_counted(files, benchmark):
    held_out = {question.text for question in benchmark}
    earlier = set()
    for file in files:
        rows = rows_of(file.path)

        texts = [text for text, _ in rows if text]
        own = set(texts) - earlier

        assert file.rows == len(rows)
        assert file.without_text == sum(not text for text, _ in rows)
        assert file.without_key == sum(not key for _, key in rows)
        assert file.duplicates_within == len(texts) - len(set(texts))
        assert file.duplicates_across == len(set(texts) & earlier)
        assert file.leaked == len(own & held_out)
        assert file.distinct_questions == len(own)
        earlier |= own


def test_every_kind_of_flaw_is_planted(files):
    assert all(file.duplicates_within and file.without_key and file.without_text for file in files)
    assert all(file.leaked for file in files)
    assert [bool(file.duplicates_across) for file in files] == [False, True, True, True]


def test_every_question_of_the_pool_but_those_whose_text_was_taken_is_in_one_file(files, pool):
    texts = {text for file in files for text, _ in rows_of(file.path)}

    missing = {question.text for question in pool} - texts

    assert len(missing) == sum(file.without_text for file in files)


def test_the_keys_are_right(files):
    keyed = [(text, key) for file in files for text, key in rows_of(file.path) if text and key]

    assert all(solve(text).answer == str(key) for text, key in keyed)


def test_the_offices_differ_in_format_and_encoding(files):
    assert {file.path.suffix for file in files} == {".csv", ".jsonl", ".xlsx"}
    chinese = next(file.path for file in files if "题库" in file.path.name)
    with pytest.raises(UnicodeDecodeError):
        chinese.read_bytes().decode("utf-8")


def test_the_same_seed_writes_the_same_bytes(tmp_path, pool, benchmark):
    first = write_pool_files(tmp_path / "first", pool, benchmark, seed=3)
    second = write_pool_files(tmp_path / "second", pool, benchmark, seed=3)

    assert [file.path.read_bytes() for file in first] == [file.path.read_bytes() for file in second]
    assert [replace(file, path=file.path.name) for file in first] == [
        replace(file, path=file.path.name) for file in second
    ]


def test_too_small_a_pool_is_refused(tmp_path, benchmark):
    with pytest.raises(ValueError, match="make a larger pool"):
        write_pool_files(tmp_path, make_pool(1, 40), benchmark, seed=1, flaws=Flaws(duplicates_within=30))


def test_the_benchmark_file_has_one_full_record_a_question(tmp_path, benchmark):
    count = write_benchmark(tmp_path / "benchmark.jsonl", benchmark)

    records = [json.loads(line) for line in (tmp_path / "benchmark.jsonl").read_text("utf-8").splitlines()]
    assert count == len(records) == len({record["id"] for record in records}) == len(benchmark)
    assert all(record["marks"] == solve(record["question"]).steps for record in records)
    assert all(record["solution"].count("\n") + 1 == record["marks"] for record in records)
    assert all(record["licence"] == FIELD_LICENCE and record["options"] is None for record in records)


def test_the_taxonomy_names_every_domain_under_a_parent_that_it_holds(tmp_path, benchmark):
    write_taxonomy(tmp_path / "taxonomy.csv")

    rows = list(csv.DictReader(io.StringIO((tmp_path / "taxonomy.csv").read_text("utf-8"))))
    codes = {row["code"] for row in rows}
    assert {question.domain for question in benchmark} <= codes
    assert all(row["parent"] in codes | {""} for row in rows)


def test_one_call_writes_all_that_the_demo_imports(tmp_path):
    files = write(tmp_path / "sources", pool_size=600, benchmark_per_cell=1, seed=2)

    assert {path.name for path in (tmp_path / "sources").iterdir()} == {
        files.benchmark.name,
        files.taxonomy.name,
        *(file.path.name for file in files.pools),
    }
    assert len(files.benchmark.read_text(encoding="utf-8").splitlines()) == 42
    assert sum(file.distinct_questions - file.leaked + file.without_text for file in files.pools) == 600
    assert all(file.pool in file.provenance for file in files.pools)
