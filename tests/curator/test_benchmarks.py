"""Held-out questions are read whole or not at all, and what leaked of them is found whichever came first."""

import json
import zipfile

import pytest
from django.db import DatabaseError, connection, transaction

from common.core.refusal import Refusal
from curator.models import Benchmark, BenchmarkItem, Leak
from curator.services import benchmarks, imports, pools

LONG = "A train leaves the northern station at nine and travels for {} hours at sixty miles an hour; how far?"
ITEMS = [
    {"question": LONG.format("three"), "answer": "180", "id": "train"},
    {
        "question": "从甲地到乙地共有三百公里，汽车以每小时六十公里的速度行驶，需要多少小时才能到达乙地？",
        "answer": "5",
        "id": "car",
    },
    {"question": "Which?", "options": ["red", "blue"], "answer": "B", "marks": 2, "id": "which"},
]


@pytest.fixture
def hold_out(tmp_path):
    """Return what reads rows into a benchmark."""

    def read(project, rows, name="exam", file_name="exam.jsonl"):
        path = tmp_path / file_name
        lines = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
        path.write_text(lines, encoding="utf-8")
        return benchmarks.import_benchmark(project=project, path=path, name=name)

    return read


@pytest.fixture
def pool_in(make_pool, tmp_path):
    """Return what reads rows into a new pool of a project."""

    def read(project, rows):
        path = tmp_path / "pool.json"
        path.write_text(json.dumps(rows), encoding="utf-8")
        job = pools.start_import(
            pool=make_pool(project), content=path, file_name=path.name, mapping=None, by=None
        )
        imports.run_import(job=job)
        return job

    return read


def test_items_are_kept_in_order_with_key_and_marks(make_project, hold_out):
    report = hold_out(make_project(), ITEMS)

    assert (report.items, report.leaks) == (3, 0)
    items = list(report.benchmark.items.all())
    assert [(item.position, item.external_id, item.key) for item in items] == [
        (0, "train", "180"),
        (1, "car", "5"),
        (2, "which", "B"),
    ]
    assert (items[1].language, items[2].options, items[2].marks) == ("zh", ["red", "blue"], 2)


def test_the_tables_of_an_archive_are_one_benchmark(make_project, tmp_path):
    path = tmp_path / "exams.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.csv", "question,answer\nOne?,1\n")
        archive.writestr("2.csv", "题目,答案\n二？,2\n")

    report = benchmarks.import_benchmark(project=make_project(), path=path, name="both")

    assert list(report.benchmark.items.values_list("text", "key")) == [("One?", "1"), ("二？", "2")]


def test_columns_that_a_person_names_hold_question_and_key(make_project, tmp_path):
    path = tmp_path / "exam.csv"
    path.write_text("甲,乙,answer\nHow?,1,no\n", encoding="utf-8")
    named = {"question": "甲", "key": "乙"}

    report = benchmarks.import_benchmark(project=make_project(), path=path, name="exam", mapping=named)

    assert report.benchmark.items.values_list("text", "key").get() == ("How?", "1")


def test_the_same_item_twice_counts_once(make_project, hold_out):
    assert hold_out(make_project(), [*ITEMS, ITEMS[0]]).items == 3


def test_the_same_content_has_the_same_hash(make_project, hold_out):
    one, other = hold_out(make_project(), ITEMS), hold_out(make_project(), ITEMS)

    assert one.benchmark.content_hash == other.benchmark.content_hash
    assert hold_out(make_project(), ITEMS[:2]).benchmark.content_hash != one.benchmark.content_hash


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([*ITEMS, {"question": "And now?", "answer": ""}], "exam.jsonl, row 4, has no key"),
        ([{"question": "And now?"}], "exam.jsonl, row 1, has no key"),
        ([*ITEMS, {"question": "", "answer": "1"}], "exam.jsonl, row 4, column question: "),
        ([{"question": "Which?", "options": ["a", "b"], "answer": "E"}], "exam.jsonl, row 1, column answer:"),
        ([{"problem number": 1}], "No column holds the question"),
        ("", "exam.jsonl is empty"),
        ('{"question": ', "exam.jsonl, line 1, is no valid JSON"),
    ],
)
def test_a_file_with_a_fault_leaves_nothing(make_project, hold_out, rows, sentence):
    project = make_project()

    with pytest.raises(Refusal) as refused:
        hold_out(project, rows)

    assert sentence in str(refused.value)
    assert not Benchmark.objects.exists()
    assert not BenchmarkItem.objects.exists()


def test_a_failing_write_leaves_nothing(make_project, hold_out):
    with connection.cursor() as cursor:
        cursor.execute("alter table curator_benchmarkitem add constraint no_room check (position < 2)")

    with pytest.raises(DatabaseError, match="no_room"), transaction.atomic():
        hold_out(make_project(), ITEMS)

    assert not Benchmark.objects.exists()


def test_a_name_that_is_taken_is_refused(make_project, hold_out):
    project = make_project()
    hold_out(project, ITEMS)

    with pytest.raises(Refusal, match="There is a benchmark named exam already; choose another name"):
        hold_out(project, ITEMS[:1])

    assert BenchmarkItem.objects.count() == 3


@pytest.mark.parametrize("name", ["", "n" * 201])
def test_a_name_that_is_none_is_refused(make_project, hold_out, name):
    with pytest.raises(Refusal, match="Name: "):
        hold_out(make_project(), ITEMS, name=name)


@pytest.mark.parametrize("first", ["pool", "benchmark"])
def test_a_leak_is_found_whichever_came_first(make_project, hold_out, pool_in, first):
    project = make_project()
    rows = [
        {"question": "  " + LONG.format("three").upper(), "answer": "180", "id": "same"},
        {
            "question": LONG.format("three") + " Give the answer in miles please.",
            "answer": "180",
            "id": "long",
        },
        {"question": ITEMS[1]["question"].replace("？", "?"), "answer": "5", "id": "zh"},
        {"question": "How many colours does a rainbow have?", "answer": "7", "id": "other"},
    ]

    if first == "pool":
        pool_in(project, rows)
        report = hold_out(project, ITEMS)
        assert report.leaks == 3
    else:
        hold_out(project, ITEMS)
        pool_in(project, rows)

    found = {(leak.question.external_id, leak.item.external_id) for leak in Leak.objects.all()}
    assert found == {("same", "train"), ("long", "train"), ("zh", "car")}
    assert all(leak.shared_text for leak in Leak.objects.all())


def test_what_is_in_another_project_is_no_leak(make_project, hold_out, pool_in):
    pool_in(make_project(), ITEMS)

    assert hold_out(make_project(), ITEMS).leaks == 0


def test_a_second_benchmark_finds_its_own_leaks(make_project, hold_out, pool_in):
    project = make_project()
    pool_in(project, ITEMS)
    hold_out(project, ITEMS[:1])

    report = hold_out(project, ITEMS, name="retake")

    assert report.leaks == 3
    assert Leak.objects.filter(item__benchmark=report.benchmark).count() == 3


@pytest.mark.parametrize(
    "statement",
    [
        "update curator_benchmarkitem set key = 'easier' where benchmark_id = %s",
        "update curator_benchmarkitem set text = 'Easier?' where benchmark_id = %s",
        "update curator_benchmark set content_hash = 'x' where id = %s",
    ],
)
def test_the_database_refuses_to_change_what_is_held_out(make_project, hold_out, statement):
    benchmark = hold_out(make_project(), ITEMS).benchmark

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [benchmark.pk])
