"""Pages of curation, as a browser sees them."""

import csv
import html
import io
import json
import re
import zipfile
from datetime import timedelta

import polars as pl
import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.access import Role
from common.jobs import JobState
from curator import tasks
from curator.models import (
    Adjudication,
    Collection,
    Dataset,
    Import,
    Pool,
    Question,
    Review,
    RowReport,
    Selection,
)
from curator.services import datasets, imports, pools, reviews, selections
from curator.services.imports import REPORT_COLUMNS
from curator.services.reviews import Word

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(make_project):
    return make_project()


@pytest.fixture
def owner(client, project, make_member):
    """Return an owner of the project, who is signed in."""
    person = make_member(project, Role.OWNER)
    client.force_login(person)
    return person


@pytest.fixture
def pool(project, make_pool):
    return make_pool(project)


@pytest.fixture
def sent(monkeypatch):
    """Return the jobs that a worker was told of, by the name of the task."""
    told = []
    for name in ("run_import", "run_collection", "run_probe", "run_selection"):
        monkeypatch.setattr(
            getattr(tasks, name), "delay_on_commit", lambda *, job_id, name=name: told.append((name, job_id))
        )
    return told


@pytest.fixture
def selected(project, pool, make_question, make_trace, make_teacher):
    """Return a selection of three questions with traces, done."""
    teacher = make_teacher(project)
    for _number in range(3):
        make_trace(make_question(pool), teacher)
    job = selections.start_selection(project=project, method="random", size=3, by=None)
    selections.run_selection(job=job)
    return job


CSV = "题目,答案,科目\n一加一等于几？,2,算术\n二加二等于几？,4,算术\n,7,算术\n".encode()


def upload(client, pool, content=CSV, name="试题.csv"):
    return client.post(f"/pools/{pool.pk}/upload/", {"file": SimpleUploadedFile(name, content)})


# --- pools and imports ---


def test_a_pool_is_made_with_a_licence(client, owner, project):
    response = client.post(f"/projects/{project.slug}/pools/", {"name": "Bar exam 2024", "licence": "own"})

    assert response.url == Pool.objects.get(name="Bar exam 2024").get_absolute_url()


def test_a_second_pool_of_the_same_name_is_refused_beside_the_form(client, owner, project, pool):
    response = client.post(f"/projects/{project.slug}/pools/", {"name": pool.name, "licence": "own"})

    assert "There is a pool named" in response.text


def test_an_upload_is_shown_before_anything_is_stored(client, owner, pool):
    response = client.get(upload(client, pool).url)

    assert "一加一等于几？" in response.text
    assert 'lang="zh"' in response.text
    assert not Import.objects.exists()


def test_a_confirmed_upload_is_queued_with_its_mapping(client, owner, pool, sent):
    preview = upload(client, pool).url

    response = client.post(preview, {"column_0": "question", "column_1": "key", "column_2": "", "import": ""})

    job = Import.objects.get()
    assert response.url == job.get_absolute_url()
    assert sent == [("run_import", job.pk)]
    assert (job.mapping["question"], job.mapping["domain"]) == ("题目", "")


def test_a_column_set_to_not_used_is_not_guessed_again(client, owner, pool, sent):
    client.post(upload(client, pool).url, {"column_0": "question", "column_1": "key", "column_2": ""})
    job = Import.objects.get()

    imports.run_import(job=job)

    assert set(Question.objects.values_list("domain", flat=True)) == {None}
    assert (Import.objects.get().rows_imported, Import.objects.get().rows_rejected) == (2, 1)


def test_another_meaning_is_shown_and_not_imported(client, owner, pool):
    response = client.post(upload(client, pool).url, {"column_1": "question", "show": ""})

    assert response.status_code == 200
    assert not Import.objects.exists()


def test_a_mapping_without_a_question_is_refused_with_the_columns(client, owner, pool):
    response = client.post(upload(client, pool).url, {"column_0": "", "column_1": "key", "import": ""})

    assert "No column holds the question; the file has 题目, 答案, 科目. Choose “Question”" in response.text
    assert "question=" not in response.text
    assert not Import.objects.exists()


def test_one_meaning_is_not_given_twice(client, owner, pool):
    response = client.post(upload(client, pool).url, {"column_0": "question", "column_1": "question"})

    assert "has this meaning already" in response.text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"%PDF-1.7 something", "is a PDF"), (b" ", "is empty"), (b"question,answer\n", "no rows")],
)
def test_a_file_that_is_no_table_is_refused_with_a_sentence(client, owner, pool, content, sentence):
    response = client.get(upload(client, pool, content).url, follow=True)

    assert sentence in response.text


def test_several_files_are_looked_at_one_after_the_other(
    client, owner, pool, sent, django_capture_on_commit_callbacks
):
    files = [SimpleUploadedFile(name, CSV + name.encode()) for name in ("one.csv", "two.csv")]
    sure = {"column_0": "question", "column_1": "key", "import": ""}
    first = client.post(f"/pools/{pool.pk}/upload/", {"file": files}).url

    page = client.get(first)
    with django_capture_on_commit_callbacks(execute=True):
        report = client.post(first, sure).url
    report = client.get(report)
    second = re.search(r'<a href="([^"]*)">two\.csv</a>', report.text)[1]
    with django_capture_on_commit_callbacks(execute=True):
        last = client.post(second, sure).url
    last = client.get(last)

    assert "1 more file waits" in page.text
    assert "one.csv" in report.text
    assert "Waiting for your look" not in last.text
    assert [job.file_name for job in Import.objects.order_by("pk")] == ["one.csv", "two.csv"]


def test_a_file_that_was_refused_does_not_wait(client, owner, pool):
    refused = upload(client, pool, IN_BIG5, "題庫.csv").url
    upload(client, pool)

    page = client.get(pool.get_absolute_url())

    assert "say which encoding it is in" in client.get(refused).text
    assert "試題.csv" not in page.text
    assert "題庫.csv" not in page.text
    assert "试题.csv" in page.text


def test_an_empty_file_is_refused_in_the_words_of_the_command(client, owner, pool):
    empty = SimpleUploadedFile("zero.csv", b"")

    said = client.post(
        f"/pools/{pool.pk}/upload/", {"file": empty}, headers={"Accept": "application/json"}
    ).json()

    assert said == {"previews": [], "refused": ["zero.csv is empty; export it again."], "misread": []}


def test_a_script_that_sends_no_file_is_answered_with_the_sentence_of_the_form(client, owner, pool):
    said = client.post(f"/pools/{pool.pk}/upload/", headers={"Accept": "application/json"}).json()

    assert said["refused"] == ["This field is required."]


def test_a_file_that_may_be_misread_is_told_from_one_that_is_none(client, owner, pool):
    files = [SimpleUploadedFile("題庫.csv", IN_BIG5), SimpleUploadedFile("试题.csv", CSV)]

    said = client.post(
        f"/pools/{pool.pk}/upload/", {"file": files}, headers={"Accept": "application/json"}
    ).json()

    ((misread,), (preview,)) = said["misread"], said["previews"]
    assert "say which encoding it is in" in misread["says"]
    assert "say which encoding it is in" in client.get(misread["address"]).text
    assert "一加一等于几？" in client.get(preview).text
    assert said["refused"] == []


def test_a_file_that_holds_thinking_is_shown_the_way_to_the_traces(client, owner, pool, project):
    rows = "question,thinking,answer,reference\n1?,well,So it is 1.,1\n"

    traces = client.get(upload(client, pool, rows.encode(), "t.csv").url)
    questions = client.get(upload(client, pool).url)

    assert "This file looks like traces" in traces.text
    assert f'href="/projects/{project.slug}/traces/import/"' in traces.text
    assert '<option value="key" selected>' in traces.text
    assert "Key: 1" in traces.text
    assert "looks like traces" not in questions.text


def test_a_script_is_told_what_was_kept_and_what_was_refused(client, owner, pool):
    files = [SimpleUploadedFile("试题.csv", CSV), SimpleUploadedFile("x.pdf", b"%PDF-1.7 something")]

    response = client.post(
        f"/pools/{pool.pk}/upload/", {"file": files}, headers={"Accept": "application/json"}
    )

    said = response.json()
    assert said["refused"] == ["x.pdf is a PDF, not a table; save it as CSV, XLSX, JSON or Parquet."]
    assert [client.get(each).status_code for each in said["previews"]] == [200]


def test_a_file_that_nobody_wants_is_removed(client, owner, pool):
    preview = upload(client, pool).url

    response = client.post(f"{preview}drop/")

    assert response.url == pool.get_absolute_url()
    assert "试题.csv" not in client.get(response.url).text


def test_meanings_are_remembered_for_the_next_file_with_the_same_columns(client, owner, pool, sent):
    client.post(upload(client, pool).url, {"column_0": "question", "column_1": "solution"})

    page = client.get(upload(client, pool, CSV + b"more,1,2\n", "next.csv").url)
    other = client.get(upload(client, pool, b"question\n1?\n", "other.csv").url)

    assert "remembered from last time" in page.text
    assert '<option value="solution" selected>' in page.text
    assert "remembered from last time" not in other.text


IN_BIG5 = ("題目,答案\n" + "這個問題的答案是甚麼？請說明理由與計算過程。,三\n" * 9).encode("big5")
WITHOUT_NAMES = "一加一等于几？;2\n二加二等于几？;4\n".encode()
READ_AGAIN = {"delimiter": ";", "header_row": "0"}


def shown_columns(page):
    """Return by what a preview knows the columns that it shows."""
    return kept_on(page)["shown"]


def kept_on(page):
    """Return what a preview keeps of itself for the next time."""
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'name="(shown|said)" value="([^"]*)"', page.text)
    }


def test_meanings_outlive_a_look_in_a_wrong_encoding(client, owner, pool):
    preview = upload(client, pool).url
    meant = {"column_0": "question", "column_1": "solution", "column_2": "tags", "show": ""}

    found = client.get(preview)
    garbled = client.post(preview, kept_on(found) | meant | {"encoding": "Windows-1252"})
    guessed = {f"column_{place}": "" for place in range(3)}
    unreadable = client.post(preview, kept_on(garbled) | guessed | {"encoding": "UTF-16", "show": ""})
    back = client.post(preview, kept_on(unreadable) | {"encoding": "", "show": ""})

    assert "题目" not in [field.label for field in garbled.context["form"]]
    assert "is not in UTF-16" in unreadable.text
    assert {field.label: field.value() for field in back.context["form"]} == {
        "题目": "question",
        "答案": "solution",
        "科目": "tags",
    }
    assert "The columns are others now" not in back.text


@pytest.mark.parametrize(
    "kept", ["[1, {}]", "{}", "no JSON", '{"题目": "nonsense", "答案": {"a": 1}}', "[" * 9999]
)
def test_what_a_page_keeps_may_be_anything(client, owner, pool, kept):
    preview = upload(client, pool).url

    response = client.post(preview, {"shown": kept, "said": kept, "column_0": "key", "show": ""})

    assert response.status_code == 200
    assert "一加一等于几？" in response.text


def test_what_was_found_out_of_a_file_can_be_corrected_before_it_is_read(client, owner, pool, sent):
    preview = upload(client, pool, WITHOUT_NAMES).url

    found = client.get(preview)
    again = client.post(preview, {**READ_AGAIN, "shown": shown_columns(found), "column_0": "key", "show": ""})
    sure = {"shown": shown_columns(again), "column_0": "question", "column_1": "key", "import": ""}
    client.post(preview, READ_AGAIN | sure)
    job = Import.objects.get()
    imports.run_import(job=job)

    assert "found: semicolon" in found.text
    assert "found: row 1" in found.text
    assert "Column 2" in again.text
    assert job.reading == {"delimiter": ";", "header_row": 0}
    assert set(Question.objects.values_list("text", "key")) == {
        ("一加一等于几？", "2"),
        ("二加二等于几？", "4"),
    }
    assert Import.objects.get().header_row is None


def test_meanings_that_were_said_of_other_columns_are_not_taken_for_these(client, owner, pool):
    preview = upload(client, pool, WITHOUT_NAMES).url
    shown = shown_columns(client.get(preview))

    said = {"shown": shown, "column_0": "question", "column_1": "key", "import": ""}
    response = client.post(preview, READ_AGAIN | said)

    assert "The columns are others now" in response.text
    assert not Import.objects.exists()


def test_an_encoding_that_does_not_fit_is_refused_on_the_form(client, owner, pool):
    preview = upload(client, pool).url

    refused = client.post(preview, {"encoding": "UTF-16", "import": ""})
    mended = client.post(preview, {"encoding": "", "shown": shown_columns(refused), "show": ""})

    assert "试题.csv is not in UTF-16" in refused.text
    assert '<option value="UTF-16" selected>' in refused.text
    assert "一加一等于几？" in mended.text
    assert "The columns are others now" not in mended.text
    assert not Import.objects.exists()


def test_a_file_whose_encoding_must_be_said_waits_for_it(client, owner, pool, sent):
    preview = upload(client, pool, IN_BIG5, "題庫.csv").url

    found = client.get(preview)
    client.post(preview, {"encoding": "Big5", "column_0": "question", "column_1": "key"})
    imports.run_import(job=Import.objects.get())

    assert "say which encoding it is in" in found.text
    assert 'name="import"' not in found.text
    assert Question.objects.get().text == "這個問題的答案是甚麼？請說明理由與計算過程。"
    assert Import.objects.get().encoding == "Big5"


def empty_parquet():
    pl.DataFrame({"question": []}, schema={"question": pl.String}).write_parquet(content := io.BytesIO())
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.parquet", empty_parquet()), ("a.json", b"[]"), ("a.xlsx", b"Notes of a meeting")],
)
def test_a_file_that_no_other_reading_could_mend_is_refused_at_once(client, owner, pool, name, content):
    response = client.post(
        f"/pools/{pool.pk}/upload/", {"file": SimpleUploadedFile(name, content)}, follow=True
    )

    assert response.redirect_chain[-1][0] == pool.get_absolute_url()
    assert f"{name} " in response.text
    assert "Encoding" not in response.text
    assert "Waiting for your look" not in response.text


def test_a_refused_text_may_have_another_encoding_or_separator_and_a_workbook_may_not(
    client, owner, pool, tmp_path
):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as made:
        made.add_worksheet("one").write_row(0, 0, ["question", "key"])

    text = client.get(upload(client, pool, b"question,key\n", "a.csv").url)
    book = client.get(upload(client, pool, (tmp_path / "a.xlsx").read_bytes(), "a.xlsx").url)

    assert list(text.context["asked"].fields) == ["encoding", "delimiter", "header_row"]
    assert list(book.context["asked"].fields) == ["header_row"]


def test_a_sheet_is_chosen_by_its_name(client, owner, pool, sent, tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as made:
        made.add_worksheet("cover").write_row(0, 0, ["Bank of 2024"])
        made.add_worksheet("题库").write_column(0, 0, ["内容", "什么是资产？"])
    preview = upload(client, pool, (tmp_path / "a.xlsx").read_bytes(), "a.xlsx").url

    found = client.get(preview)
    client.post(preview, {"sheet": "题库", "column_0": "question"})
    imports.run_import(job=Import.objects.get())

    assert "a.xlsx has a header but no rows" in found.text
    assert '<option value="题库">题库</option>' in found.text
    assert "Separator" not in found.text
    assert Question.objects.get().text == "什么是资产？"


def test_how_a_file_is_written_is_remembered_for_the_next_one_like_it(client, owner, pool, sent):
    title = "Bank,Key,Year\n"
    said = {"header_row": "2", "column_0": "question", "column_1": "key"}
    client.post(upload(client, pool, (title + "Q,K,J\nWhat is it?,one,2024\n").encode()).url, said)

    like_it = client.get(upload(client, pool, (title + "Q,K,J\nAnd this?,two,2025\n").encode(), "b.csv").url)
    too_short = client.get(upload(client, pool, (title + ",,\nAnd this?,two,1\n").encode(), "c.csv").url)

    assert Import.objects.get().reading == {"header_row": 2}
    assert "How the file is written is remembered" in like_it.text
    assert '<option value="2" selected>' in like_it.text
    assert '<option value="question" selected>' in like_it.text
    assert "How the file is written is remembered" not in too_short.text


def test_what_is_remembered_of_a_file_is_forgotten_when_it_is_said_otherwise(client, owner, pool, sent):
    content = b"Bank,Key\nQ,K\nWhat is it?,one\n"
    meanings = {"column_0": "question", "column_1": "key"}
    client.post(upload(client, pool, content).url, meanings | {"header_row": "2"})
    client.post(upload(client, pool, content + b"2?,2\n").url, meanings | {"header_row": ""})

    page = client.get(upload(client, pool, content + b"3?,3\n").url)

    assert "How the file is written is remembered" not in page.text


def test_a_reading_that_the_form_does_not_offer_is_refused(client, owner, pool):
    said = {"delimiter": "x", "column_0": "question", "column_1": "key", "import": ""}

    response = client.post(upload(client, pool).url, said)

    assert "x is not one of the available choices" in response.text
    assert not Import.objects.exists()


def test_a_corrected_report_adds_what_was_left_out_and_nothing_twice(client, owner, pool, read_in):
    text = "id,question,answer,marks\na,Is it?,yes,1\nb,Is it not?,no,many\nc,=1+1?,2,none\n"
    job = read_in(pool, text)
    report = client.get(f"/imports/{job.pk}/report.xlsx")
    (tmp := io.BytesIO(report.content)).seek(0)
    rows = pl.read_excel(tmp, infer_schema_length=0).rows()
    assert [row[:3] for row in rows] == [("b", "Is it not?", "no"), ("c", "=1+1?", "2")]
    corrected = "id,question,answer,marks,row / 行号,reason / 原因\n" + "".join(
        f"{key},{question},{answer},2,{number},{reason.replace(',', '')}\n"
        for key, question, answer, _marks, number, reason, *_more in rows
    )

    again = read_in(pool, corrected, "corrected.csv")

    assert (again.rows_imported, again.rows_rejected, pool.questions.count()) == (2, 0, 3)
    assert again.columns == ["id", "question", "answer", "marks"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_report_has_all_columns_of_every_row(client, owner, pool, read_in, form):
    first = "id,question,answer,page\na,Is it?,yes,7\nb,Is it not?,,8\n"
    read_in(pool, first)
    job = read_in(pool, first.replace("8", "9").replace(",,", ",no,") + "c,Is it?,maybe,3\n", "again.csv")

    report = client.get(f"/imports/{job.pk}/report.{form}")

    content = report.content if form == "xlsx" else b"".join(report.streaming_content)
    table = io.BytesIO(content)
    rows = (
        pl.read_excel(table, infer_schema_length=0)
        if form == "xlsx"
        else pl.read_csv(table, infer_schema=False)
    )
    assert [row[:5] for row in rows.rows()] == [
        ("a", "Is it?", "yes", "7", "2"),
        ("b", "Is it not?", "no", "9", "3"),
        ("c", "Is it?", "maybe", "3", "4"),
    ]
    first = Question.objects.get(text="Is it?")
    assert [row[-1] for row in rows.rows()][::2] == [f"#{first.pk} · {pool.name}"] * 2
    assert set(job.reports.values_list("kind", flat=True)) == {"duplicate", "filled", "conflict"}


def test_a_report_as_csv_comes_back_without_what_kept_it_from_being_formulas(client, owner, pool, read_in):
    job = read_in(pool, "id,question,answer,marks\n-a,=1+1?,2,none\n")

    report = client.get(f"/imports/{job.pk}/report.csv").getvalue().decode()
    assert "'=1+1?" in report
    read_in(pool, report.replace(",none,", ",5,"), "corrected.csv")

    question = pool.questions.get()
    assert (question.text, question.external_id, question.marks) == ("=1+1?", "-a", 5)


def test_an_upload_of_another_person_is_not_there(client, owner, project, pool, make_member):
    preview = upload(client, pool).url
    client.force_login(make_member(project, Role.CURATOR))

    response = client.get(preview, follow=True)

    assert "not there any more" in response.text


def test_polling_stops_when_the_import_is_done(client, owner, pool):
    job = pools.start_import(pool=pool, content=io.BytesIO(CSV), file_name="试题.csv", mapping=None, by=owner)
    waiting = client.get(job.get_absolute_url(), headers={"HX-Request": "true"})
    imports.run_import(job=job)

    done = client.get(job.get_absolute_url(), headers={"HX-Request": "true"})

    assert "hx-trigger" in waiting.text
    assert "hx-trigger" not in done.text
    assert "<html" not in done.text


def test_the_report_names_every_row_that_became_no_question(client, owner, pool):
    job = pools.start_import(pool=pool, content=io.BytesIO(CSV), file_name="试题.csv", mapping=None, by=owner)
    imports.run_import(job=job)
    RowReport.objects.create(imported_by=job, kind="rejected", row_number=9, reason="=1+1", text="@SUM")

    response = client.get(f"/imports/{job.pk}/report.csv")

    header, *rows = csv.reader(response.getvalue().decode("utf-8-sig").splitlines())
    assert header[-5:] == list(REPORT_COLUMNS)
    assert [row[-5] for row in rows] == ["4", "9"]
    assert (rows[1][0], rows[1][-4], rows[1][-2]) == ("'@SUM", "'=1+1", "'@SUM")


def test_an_import_is_undone_only_after_a_confirmation(client, owner, pool):
    job = pools.start_import(pool=pool, content=io.BytesIO(CSV), file_name="试题.csv", mapping=None, by=owner)
    imports.run_import(job=job)

    client.get(f"/imports/{job.pk}/undo/")
    assert Question.objects.count() == 2
    response = client.post(f"/imports/{job.pk}/undo/")

    assert response.url == pool.get_absolute_url()
    assert not Question.objects.exists()


def test_an_import_on_which_traces_depend_is_kept(client, owner, pool, make_trace):
    job = pools.start_import(pool=pool, content=io.BytesIO(CSV), file_name="试题.csv", mapping=None, by=owner)
    imports.run_import(job=job)
    make_trace(Question.objects.first())

    response = client.post(f"/imports/{job.pk}/undo/", follow=True)

    assert "it cannot be undone any more" in response.text
    assert Question.objects.count() == 2


def test_a_cancelled_import_goes_on_when_asked(client, owner, pool, sent):
    job = pools.start_import(pool=pool, content=io.BytesIO(CSV), file_name="试题.csv", mapping=None, by=owner)

    client.post(f"/imports/{job.pk}/cancel/")
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    client.post(f"/imports/{job.pk}/retry/")

    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert sent == [("run_import", job.pk)]


# --- questions ---


def test_a_question_shows_why_a_selection_took_it(client, owner, selected):
    decision = selected.decisions.select_related("question").first()

    response = client.get(decision.question.get_absolute_url())

    assert selected.name in response.text
    assert decision.reason in response.text


def test_hostile_text_is_shown_as_text(client, owner, pool, make_question, make_trace):
    question = make_question(pool, text="<script>alert(1)</script>", options=["<img src=x onerror=alert(1)>"])
    trace = make_trace(question, thinking="<b onmouseover=alert(1)>so</b>")

    pages = [client.get(row.get_absolute_url()).text for row in (question, trace)]

    assert not any(
        "<script>alert" in page or "<img src=x" in page or "<b onmouseover" in page for page in pages
    )


# --- the taxonomy, teachers, traces ---


def test_a_taxonomy_is_read_and_shown_as_a_tree(client, owner, project):
    table = SimpleUploadedFile("t.csv", "code,name,parent\nlaw,法律,\ncompany,公司法,law\n".encode())

    client.post(f"/projects/{project.slug}/taxonomy/", {"file": table})
    response = client.get(f"/projects/{project.slug}/taxonomy/")

    assert [(each.domain.code, each.depth) for each in response.context["branches"]] == [
        ("law", 0),
        ("company", 1),
    ]


def test_a_broken_taxonomy_is_refused_beside_the_form(client, owner, project):
    table = SimpleUploadedFile("t.csv", b"code,weight\nlaw,heavy\n")

    response = client.post(f"/projects/{project.slug}/taxonomy/", {"file": table})

    assert "is no number" in response.text


def test_a_teacher_s_access_key_is_never_shown(client, owner, project):
    fields = {
        "name": "R",
        "base_url": "http://127.0.0.1:9/v1",
        "model": "r",
        "key": "sk-secret",
        "price_in_usd": 1,
    }
    fields |= {"price_out_usd": 2, "max_tokens": 100, "max_in_flight": 2, "temperature": 0.6}

    response = client.post(f"/projects/{project.slug}/teachers/new/", fields, follow=True)

    assert project.teachers.get().name == "R"
    assert "sk-secret" not in response.text
    assert "sk-secret" not in client.get(f"/projects/{project.slug}/teachers/").text


def test_an_order_is_estimated_first_and_started_only_by_its_confirmation(
    client, owner, project, pool, make_question, make_teacher, sent
):
    make_question(pool)
    teacher = make_teacher(project, base_url="http://127.0.0.1:9/v1", model="r", price_out_usd=1)
    limit = {"question_limit": 1, "max_cost_usd": "2.50"}

    estimate = client.get(teacher.get_absolute_url(), limit)
    assert not Collection.objects.exists()
    client.post(teacher.get_absolute_url(), limit)

    order = Collection.objects.get()
    assert "$2.50" in estimate.text
    assert (order.question_limit, str(order.max_cost_usd)) == (1, "2.50")
    assert sent == [("run_collection", order.pk)]


def test_an_order_without_a_limit_is_not_started(client, owner, project, make_teacher, sent):
    teacher = make_teacher(project, base_url="http://127.0.0.1:9/v1", model="r")

    response = client.post(teacher.get_absolute_url(), {"max_cost_usd": ""})

    assert response.status_code == 200
    assert not sent
    assert not Collection.objects.exists()


def test_a_curator_sees_a_teacher_and_may_not_spend(client, project, make_member, make_teacher):
    client.force_login(make_member(project, Role.CURATOR))
    teacher = make_teacher(project, base_url="http://127.0.0.1:9/v1", model="r")

    seen, asked = (
        client.get(teacher.get_absolute_url()),
        client.post(teacher.get_absolute_url(), {"max_cost_usd": 1}),
    )

    assert "Show what it takes" not in seen.text
    assert asked.status_code == 403


def test_a_running_order_shows_its_rate_and_the_time_left(client, owner, project, make_teacher):
    now = timezone.now()
    order = Collection.objects.create(
        project=project,
        teacher=make_teacher(project, is_stand_in=True),
        state=JobState.RUNNING,
        started_at=now - timedelta(seconds=100),
        heartbeat_at=now,
        stored=500,
        progress_done=500,
        progress_total=1000,
    )

    response = client.get(order.get_absolute_url(), headers={"HX-Request": "true"})

    assert "500 of 1,000" in response.text
    assert "5.0 a second" in response.text
    assert "about 1 min 40 s left" in response.text
    assert "stand-in" in response.text


# --- selections and reviews ---


def test_a_selection_is_started_from_a_form(
    client, owner, project, sent, make_pool, make_question, make_trace
):
    make_trace(make_question(make_pool(project)))

    response = client.post(
        f"/projects/{project.slug}/selections/", {"method": "coverage", "size": 5, "seed": 3}
    )

    job = Selection.objects.get()
    assert response.url == job.get_absolute_url()
    assert (job.method_name, job.size, job.seed) == ("coverage", 5, 3)
    assert sent == [("run_selection", job.pk)]


@pytest.mark.parametrize(
    "own", ["{", "[]", '{"name": "mine", "colour": "red"}', '{"name": "mine", "bands": 0}']
)
def test_a_method_that_cannot_be_used_is_refused_beside_its_field(client, owner, project, own):
    response = client.post(
        f"/projects/{project.slug}/selections/",
        {"method": "coverage", "size": 5, "seed": 0, "own_method": own},
    )

    assert response.context["form"].errors["own_method"]
    assert not Selection.objects.exists()


def test_a_done_selection_shows_its_funnel_and_no_longer_polls(client, owner, selected):
    response = client.get(selected.get_absolute_url())

    assert response.context["funnel"][0]["stage"] == "pool"
    assert response.context["member_count"] == 3
    assert "every 1s" not in response.text
    assert response.context["domains_figure"]["data"]


def test_a_selection_page_asks_as_often_for_more_members(
    client, owner, selected, make_question, make_trace, pool, django_assert_num_queries
):
    with CaptureQueriesContext(connection) as few:
        client.get(selected.get_absolute_url())
    for _number in range(20):
        make_trace(make_question(pool))
    more = selections.start_selection(project=selected.project, method="random", size=20, by=None)
    selections.run_selection(job=more)

    with django_assert_num_queries(len(few)):
        client.get(more.get_absolute_url())


def test_the_control_arms_are_queued_once(client, owner, selected, sent):
    client.post(f"/selections/{selected.pk}/arms/")
    client.post(f"/selections/{selected.pk}/arms/")

    assert selected.arms.count() == 5
    assert {name for name, _job in sent} == {"run_selection"}


def test_a_reviewer_goes_from_one_unjudged_trace_to_the_next(client, project, selected, make_member):
    reviewer = make_member(project, Role.REVIEWER)
    client.force_login(reviewer)
    first = client.get(f"/selections/{selected.pk}/review/").context["trace"]

    response = client.post(
        f"/selections/{selected.pk}/review/",
        {"trace": first.pk, "judgement": "reject", "note": "Step 2 is wrong."},
    )

    review = Review.objects.get()
    assert (review.judgement, review.note, review.is_scripted) == ("reject", "Step 2 is wrong.", False)
    assert response.url.endswith("?at=1")


def test_the_last_judgement_can_be_undone(client, owner, selected):
    trace = client.get(f"/selections/{selected.pk}/review/").context["trace"]
    client.post(f"/selections/{selected.pk}/review/", {"trace": trace.pk, "judgement": "accept"})

    response = client.post(f"/selections/{selected.pk}/review/undo/")

    assert not Review.objects.exists()
    assert response.url.endswith("?at=0")


def test_a_trace_that_is_no_member_cannot_be_judged_here(client, owner, selected, make_trace):
    other = make_trace()

    response = client.post(f"/selections/{selected.pk}/review/", {"trace": other.pk, "judgement": "accept"})

    assert response.status_code == 404
    assert not Review.objects.exists()


def test_a_scripted_reviewer_is_named_as_one(client, owner, selected, make_user):
    member = reviews.members(selected).first()
    reviews.judge(trace=member.trace, reviewer=make_user(), word=Word("accept"), is_scripted=True)

    response = client.get(f"/selections/{selected.pk}/review/?at=0")

    assert "came from a script that stood in for an expert" in response.text
    assert "1 colleague has judged it; you see how after you have" in response.text
    assert "a program stood in for the expert" in client.get(f"/traces/{member.trace.pk}/").text


def test_a_viewer_does_not_reach_the_review(client, project, selected, make_member):
    client.force_login(make_member(project, Role.VIEWER))

    response = client.get(f"/selections/{selected.pk}/review/")

    assert response.status_code == 404


def test_a_curator_has_the_last_word_where_reviewers_disagree(client, owner, selected, make_user):
    member = reviews.members(selected).first()
    for judgement in ("accept", "reject"):
        reviews.judge(trace=member.trace, reviewer=make_user(), word=Word(judgement))

    client.post(f"/traces/{member.trace_id}/adjudicate/", {"judgement": "reject"})

    assert Adjudication.objects.get().judgement == "reject"


def test_review_leads_to_the_latest_selection_or_says_that_there_is_none(client, owner, project, pool):
    response = client.get(f"/projects/{project.slug}/review/")

    assert "Nothing to review yet" in response.text


# --- datasets and benchmarks ---


def test_a_selection_is_frozen_and_downloaded(client, owner, selected):
    client.post(f"/selections/{selected.pk}/freeze/", {"name": "v1"})
    dataset = Dataset.objects.get()

    page = client.get(dataset.get_absolute_url())
    rows = client.get(f"/datasets/{dataset.pk}/download/jsonl/").content.decode().splitlines()

    assert "v1" in page.text
    assert [json.loads(row)["id"] for row in rows] == list(
        dataset.rows.order_by("position").values_list("question_hash", flat=True)
    )


@pytest.mark.parametrize("file_format", ["messages", "s1", "csv", "parquet"])
def test_every_format_is_sent_as_a_file(client, owner, selected, file_format):
    dataset = datasets.freeze(selection=selected, by=owner)

    response = client.get(f"/datasets/{dataset.pk}/download/{file_format}/")

    assert response["Content-Disposition"].startswith("attachment")
    assert response.content


def test_an_unknown_format_is_not_there(client, owner, selected):
    dataset = datasets.freeze(selection=selected, by=owner)

    assert client.get(f"/datasets/{dataset.pk}/download/docx/").status_code == 404


def send_benchmark(client, project, content, name="exam.csv", **said):
    """Send a file and return the answer, which leads to its preview."""
    given = {"name": "exam", "file": SimpleUploadedFile(name, content)}
    return client.post(f"/projects/{project.slug}/benchmarks/", given | said)


def read_benchmark(client, project, content, meanings=("question", "key"), **said):
    """Send a file, say what its columns mean, and return the answer."""
    preview = send_benchmark(client, project, content, **said).url
    columns = {f"column_{place}": role for place, role in enumerate(meanings)}
    return client.post(preview, {"name": "exam", **said, **columns, "import": ""})


def test_a_benchmark_without_a_key_is_refused_with_its_row(client, owner, project):
    response = read_benchmark(client, project, b"question,answer\nHow much?,\n")

    assert "row 2, has no key" in response.text
    assert not project.benchmarks.exists()


def test_a_benchmark_s_preview_shows_its_rows_with_a_guess_that_can_be_corrected(client, owner, project):
    content = "题目,备注,答案\n多少天？,甲,十五日\n几人？,乙,三人\n".encode()
    sent = send_benchmark(client, project, content, name="2025 真题.csv", licence="own", is_exam="on")

    shown = client.get(sent.url)
    again = client.post(
        sent.url,
        {"name": "exam", "column_0": "question", "column_1": "key", "column_2": "", "show": ""},
    )

    guessed = [(field.label, field.value()) for field, _values in shown.context["columns"]]
    assert guessed == [("题目", "question"), ("备注", ""), ("答案", "key")]
    assert [row.key for _is_question, row in shown.context["rows"]] == ["十五日", "三人"]
    assert [row.key for _is_question, row in again.context["rows"]] == ["甲", "乙"]
    assert [shown.context["about"][name].value() for name in ("name", "licence", "is_exam")] == [
        "exam",
        "own",
        "True",
    ]
    assert not project.benchmarks.exists()


def test_a_benchmark_is_read_as_its_columns_were_said_to_mean(
    client, owner, project, django_capture_on_commit_callbacks
):
    content = "甲,乙\nHow?,one\nWhy?,two\n".encode()

    with django_capture_on_commit_callbacks(execute=True):
        done = read_benchmark(client, project, content, licence="own", is_exam="on")

    benchmark = project.benchmarks.get()
    assert (done.url, benchmark.licence, benchmark.is_exam) == (benchmark.get_absolute_url(), "own", True)
    assert list(benchmark.items.values_list("text", "key")) == [("How?", "one"), ("Why?", "two")]
    assert client.get(f"/projects/{project.slug}/benchmarks/").context["waiting"] == []


def test_what_a_benchmark_s_columns_mean_is_remembered(client, owner, project):
    read_benchmark(client, project, "甲,乙\nHow?,one\n".encode())

    shown = client.get(send_benchmark(client, project, "甲,乙\nWhere?,three\n".encode(), name="b.csv").url)

    assert [field.value() for field, _values in shown.context["columns"]] == ["question", "key"]
    assert shown.context["remembered"]


def test_a_benchmark_whose_name_is_taken_or_missing_stays_at_its_preview(client, owner, project):
    content = "甲,乙\nHow?,one\n".encode()
    read_benchmark(client, project, content)
    preview = send_benchmark(client, project, content).url
    meanings = {"column_0": "question", "column_1": "key"}

    taken = client.post(preview, {"name": "exam", **meanings})
    missing = client.post(preview, {"name": "", **meanings})
    done = client.post(preview, {"name": "retake", **meanings})

    assert "There is a benchmark named exam already" in taken.text
    assert missing.context["about"].errors == {"name": ["This field is required."]}
    assert done.url == project.benchmarks.get(name="retake").get_absolute_url()


def test_how_a_benchmark_s_file_is_written_can_be_said(client, owner, project):
    content = b"How?;one\nWhy?;two\n"
    preview = send_benchmark(client, project, content).url
    said = {"name": "exam", "delimiter": ";", "header_row": "0"}

    shown = client.post(preview, {**said, "show": ""})
    done = client.post(
        preview,
        {**said, "column_0": "question", "column_1": "key", "shown": shown.context["shown"], "import": ""},
    )

    assert done.status_code == 302
    assert project.benchmarks.get().items.count() == 2


def test_an_archive_of_tables_becomes_one_benchmark(client, owner, project):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.csv", "题,钥\nHow?,one\n")
        archive.writestr("b.csv", "question,answer\nWhy?,two\n")

    read_benchmark(client, project, content.getvalue())

    assert list(project.benchmarks.get().items.values_list("text", "key")) == [
        ("How?", "one"),
        ("Why?", "two"),
    ]


def test_an_empty_benchmark_is_refused_in_the_words_of_the_command(client, owner, project):
    assert "exam.csv is empty; export it again." in send_benchmark(client, project, b"").text


def test_a_benchmark_that_waits_is_listed_for_who_sent_it_and_can_be_left_out(
    client, owner, project, make_member
):
    preview = send_benchmark(client, project, b"question,answer\nHow?,one\n").url
    url = f"/projects/{project.slug}/benchmarks/"
    (waiting,) = client.get(url).context["waiting"]

    client.force_login(make_member(project, Role.CURATOR))
    elses = client.get(preview)
    assert client.get(url).context["waiting"] == []
    client.force_login(owner)
    client.post(waiting.drop_url)

    assert elses.url == url
    assert preview.startswith(waiting.preview_url)
    assert client.get(url).context["waiting"] == []


def test_a_viewer_sees_a_benchmark_and_none_of_its_items(client, owner, project, make_member):
    read_benchmark(client, project, "question,answer\n保密的题,42\n".encode())
    benchmark = project.benchmarks.get()
    seen = client.get(benchmark.get_absolute_url())
    client.force_login(make_member(project, Role.VIEWER))

    hidden = client.get(benchmark.get_absolute_url())

    assert "保密的题" in seen.text
    assert hidden.status_code == 200
    assert "保密的题" not in hidden.text


@pytest.mark.parametrize(
    "name", ["pools", "questions", "taxonomy", "teachers", "selections", "review", "datasets", "benchmarks"]
)
def test_an_empty_stage_says_what_to_do(client, owner, project, name):
    response = client.get(f"/projects/{project.slug}/{name}/")

    assert response.status_code == 200
    assert 'class="empty"' in response.text
