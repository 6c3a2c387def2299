"""A dataset is frozen once, as reviewed, and never changes: not by an edit, not by SQL."""

import csv
import json

import polars as pl
import pytest
from django.db import DatabaseError, connection, transaction

from common.core.refusal import Refusal
from curator.core.dataset import dataset_hash
from curator.models import Dataset, DatasetRow, Trace
from curator.services import datasets, questions, reviews, selections
from curator.services.reviews import Word


@pytest.fixture
def selection(make_project, make_pool, make_question, make_trace, make_teacher):
    """Return a finished selection of 4 questions from a pool of 5, one of them in Chinese."""
    project = make_project()
    pool, teacher = make_pool(project, name="bank"), make_teacher(project, name="Ada", is_stand_in=True)
    for _each in range(4):
        make_trace(make_question(pool), teacher)
    make_trace(
        make_question(pool, text="下列何者正确？", options=["甲", "乙"], key="A", language="zh", marks=2),
        teacher,
    )
    job = selections.start_selection(project=project, method="all", size=5, by=None)
    selections.run_selection(job=job)
    return job


@pytest.fixture
def judge(make_user):
    def judge(decision, *words, scripted=False):
        for word in words:
            reviews.judge(trace=decision.trace, reviewer=make_user(), word=Word(word), is_scripted=scripted)

    return judge


def freeze(selection, **fields):
    return datasets.freeze(selection=selection, by=None, **fields)


def contents(dataset):
    return [row.content for row in dataset.rows.all()]


def test_rows_are_the_members_in_the_order_drawn(selection):
    dataset = freeze(selection)

    assert dataset.row_count == 5
    hashes = [decision.question.content_hash for decision in reviews.members(selection)]
    assert [content["id"] for content in contents(dataset)] == hashes
    assert [row.question_hash for row in dataset.rows.all()] == hashes


def test_a_row_holds_all_that_training_and_a_reader_ask_for(selection):
    row = next(content for content in contents(freeze(selection)) if content["language"] == "zh")

    assert row["question"] == "下列何者正确？"
    assert (row["options"], row["key"], row["marks"]) == (["甲", "乙"], "A", 2.0)
    assert (row["source"], row["licence"], row["teacher"]) == ("bank", "CC0-1.0", "Ada")
    assert (row["thinking"], row["answer"], row["verdict"]) == ("One step.", "Final Answer: A", "right")


def test_rejected_traces_are_left_out(selection, judge):
    first, second, *rest = reviews.members(selection)
    judge(first, "reject")
    judge(second, "accept")

    dataset = freeze(selection)

    hashes = [row["id"] for row in contents(dataset)]
    assert hashes == [decision.question.content_hash for decision in (second, *rest)]
    assert (dataset.card["rejected"], dataset.card["reviewed"]) == (1, 1)


def test_the_last_word_brings_a_trace_back(selection, judge, make_user):
    first = reviews.members(selection).first()
    judge(first, "accept", "reject")
    reviews.adjudicate(trace=first.trace, judgement="accept", by=make_user())

    assert freeze(selection).row_count == 5


def test_nothing_is_frozen_where_everything_was_rejected(selection, judge):
    for decision in reviews.members(selection):
        judge(decision, "reject")

    with pytest.raises(Refusal, match="Every trace of the selection all 5 was rejected"):
        freeze(selection)

    assert not Dataset.objects.exists()


def test_freezing_twice_is_one_dataset(selection):
    first, again = freeze(selection), freeze(selection, name="another name")

    assert first == again
    assert DatasetRow.objects.count() == 5


def test_another_judgement_makes_another_dataset(selection, judge):
    first = freeze(selection)
    judge(reviews.members(selection).first(), "reject")

    second = freeze(selection)

    assert (first.row_count, second.row_count) == (5, 4)
    assert first.content_hash != second.content_hash


def test_later_edits_change_nothing_in_a_dataset(selection):
    dataset = freeze(selection)
    before = contents(dataset)
    question = reviews.members(selection).first().question

    questions.set_key(question=question, key="another key", by=None)

    assert contents(dataset) == before
    assert freeze(selection).content_hash != dataset.content_hash


def test_a_selection_that_is_not_done_is_not_frozen(make_project):
    waiting = selections.start_selection(project=make_project(), method="all", size=1, by=None)

    with pytest.raises(Refusal, match="The selection all 1 is not done; freeze it when it is"):
        freeze(waiting)


def test_a_name_that_is_taken_is_refused_and_leaves_nothing(selection, judge):
    freeze(selection, name="first")
    judge(reviews.members(selection).first(), "reject")

    with pytest.raises(Refusal, match="There is a dataset named first already; choose another name"):
        freeze(selection, name="first")

    assert (Dataset.objects.count(), DatasetRow.objects.count()) == (1, 5)


def test_a_name_that_is_too_long_is_refused(selection):
    with pytest.raises(Refusal, match="Name: Ensure this value has at most 200"):
        freeze(selection, name="n" * 201)


@pytest.mark.parametrize(
    "statement",
    [
        "update curator_datasetrow set content = '{}' where dataset_id = %s",
        "update curator_datasetrow set position = position + 100 where dataset_id = %s",
        "delete from curator_datasetrow where dataset_id = %s",
        "update curator_dataset set name = 'better' where id = %s",
        "update curator_dataset set card = '{}' where id = %s",
        "update curator_dataset set row_count = 1 where id = %s",
        "update curator_dataset set content_hash = 'x' where id = %s",
        "delete from curator_dataset where id = %s",
    ],
)
def test_the_database_refuses_every_change(selection, statement):
    dataset = freeze(selection)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"set constraints all immediate; {statement % dataset.pk}")

    assert DatasetRow.objects.filter(dataset=dataset).count() == 5


def test_the_card_names_inputs_by_hash_method_seed_and_versions(selection):
    card = freeze(selection).card

    assert card["members_hash"] == selection.members_hash
    assert (card["method"]["name"], card["seed"], card["funnel"]) == ("all", 0, selection.funnel)
    assert card["code_version"] == selection.code_version
    assert set(card["versions"]) >= {"python", "django", "polars"}
    assert (card["licences"], card["sources"], card["right"]) == (["CC0-1.0"], ["bank"], 5)


def test_the_card_says_what_only_stood_in(selection, judge):
    first, second, third, *_rest = reviews.members(selection)
    judge(first, "accept", scripted=True)
    judge(second, "reject", scripted=True)
    judge(third, "accept")

    card = freeze(selection).card

    assert (card["scripted_reviews"], card["reviewed"], card["rejected"]) == (2, 2, 1)
    assert card["stand_in_teachers"] == card["teachers"] == ["Ada"]


def test_the_card_tells_how_far_reviewers_agree(selection, judge):
    first, second, *_rest = reviews.members(selection)
    judge(first, "accept", "accept")
    judge(second, "reject", "reject")

    assert freeze(selection).card["agreement"] == 1.0


def test_a_dataset_of_traces_without_terms_keeps_the_hash_that_it_always_had(selection):
    dataset = freeze(selection)

    assert all("terms" not in content for content in contents(dataset))
    assert dataset.content_hash == dataset_hash(contents(dataset))


def test_terms_belong_to_what_a_dataset_is(selection):
    before = freeze(selection)
    Trace.objects.update(terms="No training of competitors.")

    after = freeze(selection)

    assert before.content_hash != after.content_hash
    assert {content["terms"] for content in contents(after)} == {"No training of competitors."}
    assert freeze(selection) == after


def test_the_card_lists_what_each_teacher_s_terms_said_and_of_how_many_traces(selection):
    trace = Trace.objects.first()
    trace.terms = "Read in May."
    trace.save()

    assert freeze(selection).card["terms"] == [
        {"teacher": "Ada", "terms": "", "traces": 4},
        {"teacher": "Ada", "terms": "Read in May.", "traces": 1},
    ]


def test_the_page_of_a_dataset_shows_terms_as_text(client, selection):
    Trace.objects.update(terms="<i>None</i>")
    client.force_login(selection.project.membership_set.get().user)

    page = client.get(freeze(selection).get_absolute_url()).text

    assert "&lt;i&gt;None&lt;/i&gt;" in page
    assert "5 traces" in page


@pytest.mark.parametrize("file_format", datasets.FORMATS)
def test_every_row_of_every_export_names_teacher_and_terms(selection, tmp_path, file_format):
    Trace.objects.filter(pk=Trace.objects.first().pk).update(terms="")
    Trace.objects.exclude(pk=Trace.objects.first().pk).update(terms="只作研究。")
    dataset = freeze(selection)

    (path,) = datasets.export(dataset=dataset, file_format=file_format, folder=tmp_path)

    rows = rows_of(path)
    assert {row["teacher"] for row in rows} == {"Ada"}
    assert sorted(row["terms"] for row in rows) == ["", *["只作研究。"] * 4]


@pytest.mark.parametrize("file_format", datasets.FORMATS)
def test_every_format_has_every_row(selection, tmp_path, file_format):
    dataset = freeze(selection)

    (path,) = datasets.export(dataset=dataset, file_format=file_format, folder=tmp_path / "out")

    assert path.name.startswith(dataset.content_hash[:12])
    assert len(rows_of(path)) == 5


def rows_of(path):
    if path.suffix == ".parquet":
        return pl.read_parquet(path).to_dicts()
    if path.suffix == ".csv":
        return list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_lines_of_an_export_are_the_rows(selection, tmp_path):
    dataset = freeze(selection)

    (path,) = datasets.export(dataset=dataset, file_format="jsonl", folder=tmp_path)

    assert rows_of(path) == contents(dataset)


def test_exporting_twice_gives_the_same_bytes(selection, tmp_path):
    dataset = freeze(selection)
    packed = [
        datasets.export(dataset=dataset, file_format="jsonl", folder=tmp_path / name)[0].read_bytes()
        for name in ("one", "two")
    ]

    assert packed[0] == packed[1]


def test_a_folder_that_cannot_be_written_is_named(selection, tmp_path):
    (tmp_path / "a file").write_text("")

    with pytest.raises(Refusal, match=r"a file/.* cannot be written .*; name another folder"):
        datasets.export(dataset=freeze(selection), file_format="jsonl", folder=tmp_path / "a file")


def test_a_format_that_is_none_is_refused(selection, tmp_path):
    with pytest.raises(Refusal, match="There is no format 'docx'; there are jsonl"):
        datasets.export(dataset=freeze(selection), file_format="docx", folder=tmp_path)

    assert list(tmp_path.iterdir()) == []
