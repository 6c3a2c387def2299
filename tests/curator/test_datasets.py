"""A dataset is frozen once, as reviewed, and never changes: not by an edit, not by SQL."""

import csv
import hashlib
import io
import json
from zipfile import ZipFile

import fastexcel
import polars as pl
import pytest
from datasets import load_dataset
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import TextField, Value
from django.db.models.functions import Concat
from django.utils import timezone

from common.core.refusal import Refusal
from curator import exports, queries
from curator.core.dataset import dataset_hash
from curator.core.licences import Condition, Purpose
from curator.models import Dataset, DatasetRow, Trace
from curator.services import datasets, questions, reviews, selections, versions
from curator.services.reviews import Word

# Of one question with one trace, as below; it changes with the form of rows and with nothing else.
GOLDEN = "9c695eac41ebc56d888e3abdccf606f4466466c175a9443af98670a990dc1b2a"


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

    with pytest.raises(Refusal, match="Every trace of the selection all 5, seed 0 was rejected"):
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


def test_a_selection_that_is_not_done_is_not_frozen(make_trace):
    project = make_trace().question.project
    waiting = selections.start_selection(project=project, method="all", size=1, by=None)

    with pytest.raises(Refusal, match="The selection all 1, seed 0 is not done; freeze it when it is"):
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
        "update curator_dataset set selection_id = null where id = %s",
        "update curator_dataset set parent_id = 0 where id = %s",
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
    assert card["lineage"]["members"] == selection.members_hash
    assert set(card["lineage"]) == {
        *("members", "questions", "traces", "reviews"),
        *("files_of_questions", "files_of_traces"),
    }


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


# Formats that providers read hold nothing but messages.
NAMELESS = {"openai", "together", "siliconflow"}


@pytest.mark.parametrize("file_format", sorted(set(datasets.FORMATS) - NAMELESS))
def test_every_row_of_an_export_names_teacher_and_terms(selection, tmp_path, file_format):
    Trace.objects.filter(pk=Trace.objects.first().pk).update(terms="")
    Trace.objects.exclude(pk=Trace.objects.first().pk).update(terms="只作研究。")
    dataset = freeze(selection)

    files = datasets.export(dataset=dataset, file_format=file_format, folder=tmp_path)

    rows = rows_of(files[-1])
    assert {row["teacher"] for row in rows} == {"Ada"}
    assert sorted(row["terms"] or "" for row in rows) == ["", *["只作研究。"] * 4]


@pytest.mark.parametrize("file_format", datasets.FORMATS)
def test_every_format_has_every_row(selection, tmp_path, file_format):
    dataset = freeze(selection)

    files = datasets.export(dataset=dataset, file_format=file_format, folder=tmp_path / "out")

    assert files[0].relative_to(tmp_path / "out").parts[0].startswith(dataset.content_hash[:12])
    assert len(rows_of(files[-1])) == 5


def rows_of(path):
    if path.suffix == ".parquet":
        return pl.read_parquet(path).to_dicts()
    if path.suffix == ".xlsx":
        texts = dict.fromkeys(("external_id", "solution", "domain", "terms"), "string")
        return fastexcel.read_excel(path).load_sheet(0, dtypes=texts).to_polars().to_dicts()
    if path.suffix == ".csv":
        return list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_row_has_the_columns_that_tables_have(selection):
    Trace.objects.update(terms="MIT")

    assert contents(freeze(selection))[0].keys() == exports.COLUMNS.keys()


def test_a_file_of_lines_has_the_dataset_s_hash_for_its_checksum(selection, tmp_path):
    dataset = freeze(selection)

    (path,) = datasets.export(dataset=dataset, file_format="jsonl", folder=tmp_path)

    assert exports.sha256_of(path) == dataset.content_hash


def test_the_same_inputs_in_another_project_give_the_same_hash(
    make_project, make_pool, make_question, make_trace, make_teacher
):
    def frozen(slug):
        project = make_project(slug)
        teacher = make_teacher(project, name="Ada")
        question = make_question(make_pool(project, name="bank"), text="几？", key="2", marks="2.50")
        question.content_hash = "1" * 64
        question.save()
        make_trace(question, teacher, content_hash="2" * 64)
        job = selections.start_selection(project=project, method="all", size=1, by=None)
        selections.run_selection(job=job)
        return freeze(job)

    one, other = frozen("one"), frozen("other")

    assert one.content_hash == other.content_hash == GOLDEN
    lineage = one.card["lineage"]
    assert lineage == other.card["lineage"]
    assert (lineage["questions"], lineage["traces"]) == (
        hashlib.sha256(b"1" * 64).hexdigest(),
        hashlib.sha256(b"2" * 64).hexdigest(),
    )


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


# --- what an export is for ---


def licensed(selection, licence):
    """Freeze a selection whose pool has this licence, and whose traces may be used for anything."""
    selection.project.pools.update(licence=licence)
    Trace.objects.update(terms="CC0-1.0")
    return freeze(selection)


@pytest.mark.parametrize(
    ("licence", "purpose", "said"),
    [
        (
            "CC BY-NC-SA 4.0",
            "sell",
            "cannot be sold: pool bank (5 rows): no commercial use. Freeze a version without",
        ),
        (
            "no redistribution",
            "share",
            "cannot be passed on: pool bank (5 rows): licence or terms not known, no redis",
        ),
        ("unknown", "sell", "cannot be sold: pool bank (5 rows): licence or terms not known. "),
    ],
)
def test_an_export_for_what_a_licence_forbids_is_refused_by_the_names_of_pools(
    selection, tmp_path, licence, purpose, said
):
    dataset = licensed(selection, licence)

    with pytest.raises(Refusal) as refused:
        datasets.export(dataset=dataset, file_format="hf", folder=tmp_path, purpose=Purpose(purpose))

    assert said in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_terms_of_a_teacher_forbid_a_sale_as_a_licence_does(selection, tmp_path):
    selection.project.pools.update(licence="MIT")
    Trace.objects.update(terms="Its output may not be used to train competing models.")

    with pytest.raises(Refusal, match=r"cannot be sold: teacher Ada \(5 rows\): .*no training of models"):
        datasets.export(dataset=freeze(selection), file_format="jsonl", folder=tmp_path, purpose=Purpose.SELL)


@pytest.mark.parametrize(
    ("licence", "purpose"), [("unknown", "own"), ("CC-BY-NC-4.0", "share"), ("MIT", "sell")]
)
def test_an_export_for_what_no_licence_forbids_is_written_and_its_card_has_the_notice(
    selection, tmp_path, licence, purpose
):
    dataset = licensed(selection, licence)

    files = datasets.export(dataset=dataset, file_format="hf", folder=tmp_path, purpose=Purpose(purpose))

    hardest = {"unknown": "not known", "CC-BY-NC-4.0": "no commercial use", "MIT": "name the source"}[licence]
    assert f"Most restrictive condition of all sources: **{hardest}" in files[0].read_text()


def test_a_dataset_whose_card_names_no_rows_of_pools_counts_them(selection):
    dataset = licensed(selection, "CC-BY-NC-4.0")
    dataset.card = {}

    (source, why), *others = queries.get_together(dataset).against(Purpose.SELL)

    assert (source.name, source.rows, why) == ("bank", 5, (Condition.NON_COMMERCIAL,))
    assert others == []


# --- versions ---


@pytest.fixture
def two(selection, judge):
    """Return two versions of one selection, of 5 rows and of 4."""
    first = freeze(selection)
    judge(reviews.members(selection).first(), "reject")
    return first, freeze(selection)


def test_one_dataset_of_a_project_is_current_and_the_mark_can_be_undone(two):
    first, second = two

    versions.mark_current(dataset=first)
    versions.mark_current(dataset=second)

    current = Dataset.objects.filter(is_current=True)
    assert current.get() == second
    assert versions.undo_current(project=first.project) == first
    assert current.get() == first
    assert versions.undo_current(project=first.project) is None
    assert not current.exists()
    with pytest.raises(Refusal, match="No dataset of this project is marked as current"):
        versions.undo_current(project=first.project)


def test_the_database_holds_that_one_dataset_is_current(two):
    first, second = two
    versions.mark_current(dataset=first)

    with pytest.raises(IntegrityError), transaction.atomic():
        Dataset.objects.filter(pk=second.pk).update(is_current=True, made_current_at=timezone.now())


def test_a_branch_has_the_same_questions_and_traces_in_the_same_order(two):
    first, _second = two

    made = versions.branch(dataset=first, by=None)

    assert made.gone == 0
    members = reviews.members(made.selection)
    assert [(it.question.content_hash, it.trace.content_hash) for it in members] == list(
        first.rows.values_list("question_hash", "trace_hash")
    )
    assert made.selection.branched_from == first
    assert made.selection.members_hash == first.selection.members_hash


def test_a_version_frozen_from_a_branch_knows_its_parent(two, judge):
    first, _second = two
    draft = versions.branch(dataset=first, by=None).selection
    judge(reviews.members(draft).last(), "reject")

    third = freeze(draft)

    assert (third.parent, third.row_count) == (first, 3)
    assert third.card["lineage"]["parent"] == first.content_hash


def test_a_branch_that_nobody_changed_is_the_version_it_came_from(selection):
    first = freeze(selection)

    assert freeze(versions.branch(dataset=first, by=None).selection) == first


def test_a_branch_leaves_out_what_is_no_longer_as_it_was(selection):
    dataset = freeze(selection)
    Trace.objects.filter(pk=Trace.objects.first().pk).update(content_hash="d" * 64)

    made = versions.branch(dataset=dataset, by=None)

    assert (made.gone, made.selection.size) == (1, 4)
    assert made.selection.funnel == [
        *dataset.card["funnel"],
        {"stage": "branch", "kept": 4, "dropped": 1},
    ]


def test_nothing_is_branched_from_a_version_of_which_nothing_is_left(selection):
    dataset = freeze(selection)
    Trace.objects.update(content_hash=Concat(Value("x"), "pk", output_field=TextField()))

    with pytest.raises(Refusal, match=r"None of the questions of .* is in the project any more"):
        versions.branch(dataset=dataset, by=None)


def test_versions_are_compared_by_their_rows(two):
    first, second = two

    found = queries.compare_versions(first, second)

    assert (len(found.removed), found.same, found.added) == (1, 4, ())
    (row,) = queries.get_version_rows(first, found.removed)
    assert row.position == 0


# --- pages ---


@pytest.fixture
def owner(client, selection):
    client.force_login(selection.project.membership_set.get().user)


def test_a_page_compares_two_versions(client, owner, two):
    first, second = two

    page = client.get(f"/datasets/{second.pk}/compare/", {"with": first.pk}, follow=True)
    removed = client.get(f"/datasets/{second.pk}/compare/{first.pk}/", {"side": "removed"})

    assert page.redirect_chain == [(f"/datasets/{second.pk}/compare/{first.pk}/", 302)]
    assert first.rows.first().content["question"] not in page.text
    assert first.rows.first().content["question"] in removed.text


def test_a_comparison_with_nothing_says_so(client, owner, two):
    page = client.get(f"/datasets/{two[0].pk}/compare/", follow=True)

    assert "Choose a version to compare with." in page.text


def test_a_page_marks_a_version_as_current_and_gives_the_mark_back(client, owner, two):
    first, second = two

    for dataset in (first, second):
        client.post(f"/datasets/{dataset.pk}/current/")
    undone = client.post(f"/projects/{first.project.slug}/datasets/current/undo/", follow=True)

    assert f"{first.name} is the current version again." in undone.text
    assert Dataset.objects.get(is_current=True) == first


def test_a_page_branches_a_draft(client, owner, two):
    page = client.post(f"/datasets/{two[0].pk}/branch/", follow=True)

    assert "is a draft now: review it and freeze it." in page.text
    assert "still there of the version it was branched from" in page.text
    assert two[0].branches.get().size == 5


def test_a_download_for_sale_is_refused_on_the_page(client, owner, selection):
    dataset = licensed(selection, "CC-BY-NC-4.0")

    refused = client.get(f"/datasets/{dataset.pk}/download/jsonl/", {"purpose": "sell"}, follow=True)
    own = client.get(f"/datasets/{dataset.pk}/download/jsonl/")

    assert "cannot be sold: pool bank (5 rows): no commercial use" in refused.text
    assert hashlib.sha256(own.content).hexdigest() == dataset.content_hash


def test_a_folder_is_downloaded_as_one_archive_that_datasets_opens(client, owner, selection, tmp_path):
    dataset = freeze(selection)

    sent = client.get(f"/datasets/{dataset.pk}/download/hf/")

    with ZipFile(io.BytesIO(sent.content)) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    loaded = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded["id"] == [row["id"] for row in contents(dataset)]


def test_a_large_file_is_sent_as_it_is_read(client, owner, selection, monkeypatch):
    monkeypatch.setattr("common.downloads.SENT_WHOLE", 10)
    dataset = freeze(selection)

    sent = client.get(f"/datasets/{dataset.pk}/download/jsonl/")

    assert sent.streaming
    assert hashlib.sha256(b"".join(sent.streaming_content)).hexdigest() == dataset.content_hash
    sent.close()


def test_the_page_shows_the_hardest_condition_and_the_card(client, owner, selection):
    dataset = licensed(selection, "CC-BY-NC-4.0")

    page = client.get(dataset.get_absolute_url()).text

    assert page.index("no commercial use") < page.index("name the source")
    assert "pretty_name" in page


def test_the_command_says_the_hardest_condition_and_refuses_a_sale(selection, tmp_path, capsys):
    dataset = licensed(selection, "CC-BY-NC-4.0")
    words = ("export", str(dataset.pk), "--to", str(tmp_path), "--json")

    call_command(*words)
    with pytest.raises(CommandError, match=r"cannot be sold: pool bank \(5 rows\)"):
        call_command(*words, "--purpose", "sell")

    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[0])["conditions"] == ["non-commercial", "attribution"]
    assert "Most restrictive condition of its sources: no commercial use (bank)." in said.err
