"""Traces made elsewhere find their question by content or by id, and come in once."""

import gzip
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from common.access import Role
from common.core.refusal import Refusal
from common.core.text import content_hash
from common.jobs import AlreadyClaimed, JobState
from curator import tasks
from curator.models import Teacher, Trace, TraceImport
from curator.services import traces, uploads


@pytest.fixture
def bank(make_pool, make_question):
    """Return a pool with a plain question and one with options."""
    pool = make_pool()
    plain, lettered = "How much is 2 and 2?", ("Which?", ["red", "blue"])
    first = make_question(pool, text=plain, key="4", external_id="q1")
    second = make_question(pool, text=lettered[0], options=lettered[1], key="B", external_id="q2")
    pool.questions.filter(pk=first.pk).update(content_hash=content_hash(plain))
    pool.questions.filter(pk=second.pk).update(content_hash=content_hash(*lettered))
    return pool


@pytest.fixture
def started(tmp_path):
    def start(project, rows, file_name="traces.jsonl", teacher="R1", **given):
        path = tmp_path / file_name
        text = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
        path.write_text(text, encoding="utf-8")
        return traces.start_import(
            project=project, content=path, file_name=file_name, teacher_name=teacher, by=None, **given
        )

    return start


@pytest.fixture
def read_in(started):
    def read(project, rows, **given):
        job = started(project, rows, **given)
        traces.run_import(job=job)
        return job

    return read


def row(thinking="2+2", answer="Final Answer: 4", **fields):
    return {"thinking": thinking, "answer": answer, **fields}


def test_traces_are_matched_by_content_and_by_id(bank, read_in):
    job = read_in(
        bank.project,
        [
            row(question="how much is  2 AND 2?"),
            row(question="Which?", options=["red", "blue"], answer="Answer: B"),
            row(thinking="another way", id="q1", question="worded otherwise"),
            row(id="q9", question="unknown"),
        ],
    )

    assert (job.rows_read, job.stored, job.duplicates, job.unmatched) == (4, 3, 0, 1)
    found = Trace.objects.values_list("question__external_id", "sample", "verdict").order_by("pk")
    assert list(found) == [("q1", 0, "right"), ("q2", 0, "right"), ("q1", 1, "right")]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"question": "Which? A. red B. blue"}, "q2"),
        ({"question": "Which?", "A": "red", "B": "blue"}, "q2"),
        ({"question": "Which?", "options": '["red", "blue"]'}, "q2"),
        ({"question": "Which?"}, "q2"),
        ({"question": "Which?", "options": ["red", "green"]}, None),
        ({"question": "How much is 2 and 2?", "options": ["3", "4"]}, "q1"),
        ({"question": "Return your final response within \\boxed{}. How much is 2 and 2?"}, "q1"),
        (
            {
                "question": "How much is 2 and 2?\nPlease reason step by step, "
                "and put your final answer within \\boxed{}."
            },
            "q1",
        ),
        ({"question": "How much is 2 and 2?\n请逐步推理，并把最终答案放在\\boxed{}中。"}, "q1"),
    ],
)
def test_a_question_is_found_with_its_options_and_without(bank, read_in, fields, wanted):
    job = read_in(bank.project, [row(**fields)])

    found = list(Trace.objects.values_list("question__external_id", flat=True))
    assert found == ([wanted] if wanted else [])
    assert job.unmatched == (wanted is None)


def test_a_text_that_several_questions_share_and_an_id_that_several_have_match_none(
    bank, make_question, read_in
):
    other = make_question(bank, text="Which?", options=["hot", "cold"], external_id="q1")
    bank.questions.filter(pk=other.pk).update(content_hash=content_hash("Which?", ["hot", "cold"]))

    job = read_in(bank.project, [row(question="Which?"), row(id="q1")])

    assert (job.stored, job.unmatched) == (0, 2)
    assert [(each.row_number, each.reason.split(" ")[0]) for each in traces.left_out(job)] == [
        (1, "Several"),
        (2, "Several"),
    ]


def test_the_same_file_again_adds_nothing(bank, read_in):
    rows = [row(id="q1"), row(id="q2", answer="Answer: A"), row(id="q1")]
    first = read_in(bank.project, rows)

    again = read_in(bank.project, rows)

    assert (first.stored, first.duplicates) == (2, 1)
    assert (again.rows_read, again.stored, again.duplicates, again.unmatched) == (3, 0, 3, 0)
    assert Trace.objects.count() == 2


def test_a_sample_is_numbered_after_the_last_one_that_is_left(bank, read_in):
    read_in(bank.project, [row("one", id="q1"), row("two", id="q1")])
    Trace.objects.filter(sample=0).delete()

    read_in(bank.project, [row("three", id="q1")])

    assert list(Trace.objects.order_by("pk").values_list("sample", flat=True)) == [1, 2]


def test_the_same_trace_of_another_teacher_is_another_trace(bank, read_in):
    read_in(bank.project, [row(id="q1")])

    assert read_in(bank.project, [row(id="q1")], teacher="QwQ").stored == 1
    assert Teacher.objects.count() == 2


def test_a_trace_that_was_collected_is_not_stored_again_when_it_is_imported(bank, read_in, make_teacher):
    from curator.services import collecting
    from tests.stand_in import completion, standing_in

    bank.questions.get(external_id="q2").delete()
    with standing_in(lambda *_: completion("Final Answer: <|im_end|>4", thinking="2+2\r\n=4")) as server:
        teacher = make_teacher(bank.project, name="R1", base_url=server.url, price_out_usd=Decimal(1))
        collecting.run_collection(job=collecting.start_collection(teacher=teacher, by=None))
    kept = Trace.objects.get()

    job = read_in(bank.project, [row(id="q1", thinking=kept.thinking, answer=kept.answer)])

    assert (job.stored, job.duplicates) == (0, 1)


def test_a_known_teacher_is_used_and_its_address_kept(bank, read_in, make_teacher):
    teacher = make_teacher(bank.project, name="R1", base_url="https://r1.example/v1")

    read_in(bank.project, [row(id="q1")])

    assert Trace.objects.get().teacher == teacher


def test_rows_can_name_their_teacher(bank, read_in):
    rows = [row(id="q1", model="QwQ"), row(id="q1", model=""), row(id="q2", model="Kimi")]

    job = read_in(bank.project, rows, teacher="", mapping={"teacher": "model"})

    assert sorted(Trace.objects.values_list("teacher__name", flat=True)) == ["Kimi", "QwQ"]
    assert (job.failed, traces.left_out(job)[0].row_number) == (1, 2)


@pytest.mark.parametrize(
    ("columns", "thinking"),
    [
        ({"thinking_trajectories": ["one", "two"], "attempt": "4"}, "one\n\ntwo"),
        ({"reasoning_content": "one", "content": "4"}, "one"),
        ({"思考": "一", "回答": "四"}, "一"),
    ],
)
def test_the_columns_of_other_makers_are_known(bank, read_in, columns, thinking):
    read_in(bank.project, [{"id": "q1", **columns}])

    assert Trace.objects.get().thinking == thinking


def test_several_generations_of_a_row_are_several_traces(bank, read_in):
    whole = {
        "problem": "How much is 2 and 2?",
        "generations": ["<think>a</think>4", "<think>b", ""],
        "is_reasoning_complete": [True, False, False],
    }

    job = read_in(bank.project, [whole])

    assert (job.layout, job.rows_read, job.stored, job.failed) == ("open-r1", 1, 2, 1)
    found = Trace.objects.order_by("pk").values_list("thinking", "answer", "finish_reason", "sample")
    assert list(found) == [("a", "4", "", 0), ("b", "", "length", 1)]


def test_terms_go_along_with_every_trace(bank, read_in, make_teacher):
    make_teacher(bank.project, name="R1", terms="No competing models.")

    read_in(bank.project, [row("a", id="q1")])
    read_in(bank.project, [row("b", id="q1", licence="MIT")])
    read_in(bank.project, [row("c", id="q1", licence="MIT")], terms="Ask first.", is_summary=True)

    found = Trace.objects.order_by("pk").values_list("terms", "is_summary")
    assert list(found) == [("No competing models.", False), ("MIT", False), ("Ask first.\nMIT", True)]


def test_hostile_text_is_made_harmless(bank, read_in):
    read_in(bank.project, [row(id="q1", thinking="<|im_end|>\u0000 so", answer="\ud8004")])

    trace = Trace.objects.get()
    assert (trace.thinking, trace.answer, trace.neutralised) == ("<im_end> so", "4", True)


def test_tokens_are_estimated_and_it_says_so(bank, read_in):
    read_in(bank.project, [row(id="q1", thinking="abcd" * 10)])

    trace = Trace.objects.get()
    assert (trace.thinking_tokens, trace.tokens_counted_by, trace.cost_usd) == (10, "estimate", 0)


@pytest.mark.parametrize(("known", "given"), [("7", 7), ("7", 7.0), ("0", 0), ("q 7", " q 7 "), ("7", "7")])
def test_an_id_is_matched_as_a_person_reads_it(bank, read_in, known, given):
    bank.questions.filter(external_id="q1").update(external_id=known)

    assert read_in(bank.project, [row(id=given)]).stored == 1


def test_questions_of_another_project_are_not_matched(bank, read_in, make_project):
    assert read_in(make_project(), [row(id="q1")]).unmatched == 1


def test_a_trace_without_thinking_and_answer_is_no_trace(bank, read_in):
    job = read_in(bank.project, [row(id="q1"), row("", "", id="q1"), {"id": "q2", "thinking": None}])

    assert (job.stored, job.failed) == (1, 2)
    assert traces.reasons(job) == [("It holds neither thinking nor an answer.", 2)]
    assert [each.row_number for each in traces.left_out(job)] == [2, 3]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("", "traces.jsonl is empty"),
        ('{"id": "q1", "thinking": "x"\n', "traces.jsonl, line 1, is no valid JSON"),
        ([{"id": "q1", "answer": "4"}], "traces.jsonl has no column thinking / reasoning"),
        ([{"id": "q1", "thinking": "4"}], "traces.jsonl has no column answer / attempt"),
        ([{"thinking": "x", "answer": "4"}], "traces.jsonl has neither a column question nor a column id"),
    ],
)
def test_a_file_with_a_fault_makes_no_teacher_and_no_trace(bank, started, rows, sentence):
    job = started(bank.project, rows)

    with pytest.raises(Refusal) as refused:
        traces.run_import(job=job)

    assert sentence in str(refused.value)
    assert (job.state, job.failure) == (JobState.FAILED, str(refused.value))
    assert not Teacher.objects.exists()
    assert not Trace.objects.exists()


@pytest.mark.parametrize("name", ["", "n" * 101])
def test_a_teacher_s_name_that_is_none_is_refused(bank, started, name):
    with pytest.raises(Refusal, match="Name: "):
        started(bank.project, [row(id="q1")], teacher=name)


def test_a_teacher_s_name_in_a_row_that_is_none_stores_nothing(bank, started):
    rows = [row(id="q1", model="QwQ"), row(id="q2", model="n" * 101)]
    job = started(bank.project, rows, mapping={"teacher": "model"})

    with pytest.raises(Refusal, match="Name: "):
        traces.run_import(job=job)

    assert not Teacher.objects.exists()
    assert not Trace.objects.exists()


@pytest.mark.parametrize("rows_at_once", [1, 2, 500])
def test_a_file_is_read_in_parts_and_repeats_are_seen_across_them(bank, read_in, monkeypatch, rows_at_once):
    monkeypatch.setattr(traces, "ROWS_AT_ONCE", rows_at_once)
    rows = [row(str(number % 3), id="q1") for number in range(5)]

    job = read_in(bank.project, rows)

    assert (job.rows_read, job.stored, job.duplicates) == (5, 3, 2)
    assert job.progress_done == job.progress_total == 5


def test_long_traces_end_a_part_early(bank, read_in, monkeypatch):
    monkeypatch.setattr(traces, "CHARACTERS_AT_ONCE", 10)
    stored = []
    real = Trace.objects.bulk_create
    monkeypatch.setattr(Trace.objects, "bulk_create", lambda rows: stored.append(len(rows)) or real(rows))

    read_in(bank.project, [row("x" * 20 + str(number), id="q1") for number in range(3)])

    assert stored == [1, 1, 1]


def test_a_second_delivery_changes_nothing(bank, started):
    job = started(bank.project, [row(id="q1")])
    tasks.run_trace_import(job_id=job.pk)

    tasks.run_trace_import(job_id=job.pk)

    job.refresh_from_db()
    assert (job.state, job.stored, Trace.objects.count()) == (JobState.SUCCEEDED, 1, 1)
    with pytest.raises(AlreadyClaimed):
        traces.run_import(job=job)


def test_a_worker_that_died_after_writing_is_followed_by_one_that_only_ends_the_job(bank, started):
    job = started(bank.project, [row(id="q1")])
    traces.run_import(job=job)
    TraceImport.objects.filter(pk=job.pk).delete()
    died = TraceImport.objects.create(project=bank.project, file_name="f", file_hash="h", rows_read=1)

    traces.run_import(job=died)

    assert died.state == JobState.SUCCEEDED
    assert Trace.objects.count() == 1


def test_a_cancelled_import_stores_nothing_and_can_go_on(bank, started):
    job = started(bank.project, [row(id="q1")])

    def cancel(running):
        if running.phase == "comparing and writing":
            TraceImport.objects.filter(pk=running.pk).update(cancel_requested=True)
            running.beat(now=running.started_at)

    traces.run_import(job=job, watch=cancel)

    assert (job.state, Trace.objects.count()) == (JobState.CANCELLED, 0)

    job.requeue(now=job.finished_at)
    traces.run_import(job=job)

    assert (job.state, Trace.objects.count()) == (JobState.SUCCEEDED, 1)


def test_traces_that_another_stores_meanwhile_are_looked_at_again(bank, started, monkeypatch):
    job = started(bank.project, [row("a", id="q1")])
    real, calls = traces._new, []

    def seen_too_early(given):
        found = real(given)
        if not calls:
            calls.append(1)
            teacher = Teacher.objects.get()
            Trace.objects.create(question=found[0].question, teacher=teacher, content_hash="c", thinking="t")
        return found

    monkeypatch.setattr(traces, "_new", seen_too_early)

    traces.run_import(job=job)

    assert job.stored == 1
    assert sorted(Trace.objects.values_list("sample", "thinking")) == [(0, "t"), (1, "a")]


@pytest.mark.parametrize("kind", ["csv", "parquet", "gz"])
def test_every_kind_of_table_is_read(bank, tmp_path, kind):
    rows = [{"id": "q1", "thinking": "so", "answer": "4"}]
    path = tmp_path / f"traces.{kind}"
    if kind == "gz":
        path.write_bytes(gzip.compress(json.dumps(rows[0]).encode(), mtime=0))
    else:
        getattr(pl.DataFrame(rows), f"write_{kind}")(path)

    job = traces.start_import(
        project=bank.project, content=path, file_name=path.name, teacher_name="R1", by=None
    )
    traces.run_import(job=job)

    assert job.stored == 1


def test_the_file_of_an_import_that_failed_is_kept_for_a_week(bank, started):
    job = started(bank.project, "{")
    with pytest.raises(Refusal):
        traces.run_import(job=job)
    path = Path(job.file_path)

    uploads.forget_old(now=job.finished_at + timedelta(days=6))
    assert path.exists()

    uploads.forget_old(now=job.finished_at + timedelta(days=8))
    job.refresh_from_db()
    assert (path.exists(), job.file_path) == (False, "")


@pytest.fixture
def command(bank, tmp_path, capfd):
    """Return what runs the command on rows and gives its JSON object."""

    def run(rows, *words):
        path = tmp_path / "t.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        call_command("import_traces", bank.project.slug, str(path), *words, "--json")
        return json.loads(capfd.readouterr().out)

    return run


def test_the_command_says_whose_what_and_under_which_terms(bank, command):
    rows = [
        {
            "id": "q1",
            **{f"{maker}_thinking_trajectory": f"{maker} thinks" for maker in ("gemini", "deepseek")},
            **{f"{maker}_attempt": "4" for maker in ("gemini", "deepseek")},
        }
    ]

    outcome = command(
        rows,
        "--teacher",
        "T",
        "--answers-of",
        "gemini",
        "--terms",
        "Ask.",
        "--summaries",
        "--map",
        "options=",
    )

    assert (outcome["stored"], outcome["layouts"]) == (1, ["pairs"])
    trace = Trace.objects.get()
    assert (trace.thinking, trace.terms, trace.is_summary) == ("gemini thinks", "Ask.", True)


def test_the_command_lists_the_first_rows_that_became_no_trace(bank, command):
    outcome = command([row(id="q9"), row(id="q1"), row("", "", id="q1")], "--teacher", "T")

    assert [(each["row"], each["reason"][:12]) for each in outcome["left_out"]] == [
        (1, "No question "),
        (3, "It holds nei"),
    ]
    assert [each["rows"] for each in outcome["reasons"]] == [1, 1]


@pytest.mark.parametrize("words", [(), ("--map", "teacher=")])
def test_the_command_without_a_teacher_is_used_wrongly(bank, command, words):
    rows = [row(id="q1", **({"teacher": "R2"} if words else {}))]

    with pytest.raises(CommandError) as refused:
        command(rows, *words)

    assert refused.value.returncode == 2
    assert not TraceImport.objects.exists()


@pytest.mark.parametrize(("words", "teacher"), [((), "R2"), (("--teacher", "T"), "T")])
def test_the_command_takes_the_teacher_from_its_column_where_none_is_named(bank, command, words, teacher):
    outcome = command([row(id="q1", teacher="R2")], *words)

    assert outcome["stored"] == 1
    assert Trace.objects.get().teacher.name == teacher


def test_a_refused_command_leaves_no_import_and_no_file(bank, command, settings):
    with pytest.raises(CommandError):
        command([{"id": "q1", "answer": "4"}], "--teacher", "T")

    assert not TraceImport.objects.exists()
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


# --- pages


@pytest.fixture
def curator(client, bank, make_member):
    client.force_login(make_member(bank.project, Role.CURATOR))
    return client


@pytest.fixture
def uploaded(curator, bank, tmp_path):
    """Return what uploads rows and gives the address of their preview."""

    def upload(rows, teacher="R1"):
        path = tmp_path / "up.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        with path.open("rb") as file:
            response = curator.post(
                f"/projects/{bank.project.slug}/traces/import/", {"file": file, "teacher_name": teacher}
            )
        assert response.status_code == 302
        return response.url

    return upload


def shown_choices(response):
    form = response.context["form"]
    return {field.label: field.initial for field in form.column_fields()}


def test_a_file_is_shown_before_anything_is_stored(curator, uploaded):
    response = curator.get(uploaded([row(id="q1"), row(id="q9")]))

    page = response.content.decode()
    assert shown_choices(response) == {"thinking": "thinking", "answer": "answer", "id": "external_id"}
    assert "question found" in page
    assert (
        "No question of this project has its content or its id; upload these questions as a pool first."
        in page
    )
    assert not Trace.objects.exists()


def test_a_question_that_is_found_by_its_id_alone_is_told_from_one_with_the_same_text(curator, uploaded):
    rows = [
        row(id="q1", question="How much is 2 and 2?"),
        row(id="q1", question="Another"),
        row(id="q2"),
        row(id="q2", question="Which?"),
    ]

    response = curator.get(uploaded(rows))

    assert [each.is_same for each in response.context["rows"]] == [True, False, True, True]
    assert "found by its id; the text is another" in response.content.decode()


def test_a_column_named_teacher_is_known_and_the_file_is_read_in_as_it_is(curator, uploaded, monkeypatch):
    monkeypatch.setattr("curator.tasks.run_trace_import.delay_on_commit", lambda **words: None)
    address = uploaded([row(id="q1", teacher="R2")], teacher="")

    shown = curator.get(address)
    fields = {field.html_name: field.initial or "" for field in shown.context["form"].column_fields()}
    response = curator.post(address, {"teacher_name": "", **fields})

    job = TraceImport.objects.get()
    assert shown_choices(shown)["teacher"] == "teacher"
    assert response.url == job.get_absolute_url()
    traces.run_import(job=job)
    assert Trace.objects.get().teacher.name == "R2"


@pytest.mark.parametrize(("ids", "warns"), [(("q8", "q9"), True), (("q8", "q1"), False)])
def test_a_preview_warns_where_no_first_row_is_to_a_question_that_is_there(curator, uploaded, ids, warns):
    page = curator.get(uploaded([row(id=each) for each in ids])).content.decode()

    assert ("None of the first rows is to a question of this project." in page) is warns


def test_the_report_comes_first_and_names_the_files_that_wait(curator, uploaded, monkeypatch):
    monkeypatch.setattr("curator.tasks.run_trace_import.delay_on_commit", lambda **words: None)
    left, chosen = uploaded([row(id="q2")]), uploaded([row(id="q1")])
    meant = {"teacher_name": "R1", "column_0": "thinking", "column_1": "answer", "column_2": "external_id"}

    response = curator.post(chosen, meant)

    assert response.url == TraceImport.objects.get().get_absolute_url()
    # A token ends in the second it was signed in: what comes before the colon is the file.
    assert left.partition(":")[0] + ":" in curator.get(response.url).content.decode()


def test_an_empty_file_is_refused_in_the_words_of_the_command(curator, bank):
    response = curator.post(
        f"/projects/{bank.project.slug}/traces/import/", {"file": SimpleUploadedFile("zero.jsonl", b"")}
    )

    assert "zero.jsonl is empty; export it again." in response.content.decode()


def test_meanings_are_corrected_and_the_file_is_read_in(
    curator, uploaded, bank, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr("curator.tasks.run_trace_import.delay_on_commit", lambda **words: sent.append(words))
    address = uploaded([{"id": "q1", "gedanken": "2+2", "antwort": "4"}])
    wrong = curator.post(address, {"teacher_name": "R1", "column_0": "external_id"})

    meant = {"column_0": "external_id", "column_1": "thinking", "column_2": "answer"}
    with django_capture_on_commit_callbacks(execute=True):
        right = curator.post(address, {"teacher_name": "R1", "terms": "CC0", **meant})

    assert "has no column thinking" in wrong.content.decode()
    job = TraceImport.objects.get()
    assert (right.url, sent) == (job.get_absolute_url(), [{"job_id": job.pk}])
    traces.run_import(job=job)
    assert Trace.objects.values_list("thinking", "answer", "terms").get() == ("2+2", "4", "CC0")
    assert curator.get(address).status_code == 302  # the upload is gone


def test_the_page_of_an_import_lists_what_was_left_out(curator, bank, read_in):
    job = read_in(bank.project, [row(id="q1"), row(question="=1+1?")])

    page = curator.get(job.get_absolute_url()).content.decode()
    report = curator.get(f"{job.get_absolute_url()}report.csv").content.decode("utf-8-sig")

    assert (
        "No question of this project has its content or its id; upload these questions as a pool first."
        in page
    )
    assert report.splitlines()[1].startswith("2,No question of this project")
    assert "'=1+1?" in report


def test_replies_of_several_makers_ask_whose_are_meant(curator, uploaded):
    rows = [
        {
            "question": "How much is 2 and 2?",
            "gemini_thinking_trajectory": "g",
            "gemini_attempt": "4",
            "deepseek_thinking_trajectory": "d",
            "deepseek_attempt": "4",
        }
    ]

    open_ = curator.get(uploaded(rows, teacher="R1"))
    named = curator.get(uploaded(rows, teacher="DeepSeek-R1"))

    assert "stand side by side" in open_.content.decode()
    assert not open_.context["rows"]
    assert shown_choices(named)["deepseek_thinking_trajectory"] == "thinking"
    assert named.context["rows"][0].samples[0].thinking == "d"


def test_what_is_no_table_is_refused_on_the_page_and_not_kept(curator, bank, tmp_path):
    path = tmp_path / "up.jsonl"
    path.write_bytes(b"%PDF-1.4")

    with path.open("rb") as file:
        response = curator.post(f"/projects/{bank.project.slug}/traces/import/", {"file": file})

    assert "up.jsonl is a PDF" in response.content.decode()
    assert not response.context["waiting"]


def test_another_member_does_not_find_an_upload(curator, uploaded, bank, client, make_member):
    address = uploaded([row(id="q1")])
    client.force_login(make_member(bank.project, Role.CURATOR))

    response = client.post(address, {"teacher_name": "R1"})

    assert response.url == f"/projects/{bank.project.slug}/traces/import/"
    assert not TraceImport.objects.exists()


# --- the traces that lie beside the project


@pytest.mark.parametrize(
    ("name", "rows"),
    [("deepseek_r1_math500_sample", 49), ("kimi_k2_thinking_mmlu_pro", 186), ("qwen3_small_mixed", 337)],
)
def test_real_traces_find_the_questions_that_were_read_from_their_own_file(real_pools, make_pool, name, rows):
    from curator.services import imports, pools

    path = real_pools / "traces" / f"{name}.jsonl.gz"
    pool = make_pool()
    reading = pools.start_import(
        pool=pool,
        content=path,
        file_name=path.name,
        mapping={"question": "question", "key": "reference"},
        by=None,
    )
    imports.run_import(job=reading)

    job = traces.start_import(
        project=pool.project,
        content=path,
        file_name=path.name,
        teacher_name="",
        mapping={"teacher": "teacher", "external_id": ""},
        by=None,
    )
    traces.run_import(job=job)

    assert (job.rows_read, job.unmatched, job.failed) == (rows, 0, 0)
    assert job.stored + job.duplicates == rows
