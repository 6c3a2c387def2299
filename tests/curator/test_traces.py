"""Traces made elsewhere find their question by content or by id, and come in once."""

import json
from decimal import Decimal

import pytest

from common.core.refusal import Refusal
from common.core.text import content_hash
from curator.models import Teacher, Trace
from curator.services import traces


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
def read_in(tmp_path):
    def read(project, rows, file_name="traces.jsonl", teacher="R1"):
        path = tmp_path / file_name
        path.write_text(
            rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows),
            encoding="utf-8",
        )
        return traces.import_traces(project=project, teacher_name=teacher, path=path)

    return read


def row(thinking="2+2", answer="Final Answer: 4", **fields):
    return {"thinking": thinking, "answer": answer, **fields}


def test_traces_are_matched_by_content_and_by_id(bank, read_in):
    report = read_in(
        bank.project,
        [
            row(question="how much is  2 AND 2?"),
            row(question="Which?", options=["red", "blue"], answer="Answer: B"),
            row(thinking="another way", id="q1", question="worded otherwise"),
            row(id="q9", question="unknown"),
        ],
    )

    assert (report.read, report.stored, report.duplicates, report.unmatched) == (4, 3, 0, 1)
    found = Trace.objects.values_list("question__external_id", "sample", "verdict").order_by("pk")
    assert list(found) == [("q1", 0, "right"), ("q2", 0, "right"), ("q1", 1, "right")]


def test_the_same_file_again_adds_nothing(bank, read_in):
    rows = [row(id="q1"), row(id="q2", answer="Answer: A"), row(id="q1")]
    first = read_in(bank.project, rows)

    again = read_in(bank.project, rows)

    assert (first.stored, first.duplicates) == (2, 1)
    assert (again.read, again.stored, again.duplicates, again.unmatched) == (3, 0, 3, 0)
    assert Trace.objects.count() == 2


def test_the_same_trace_of_another_teacher_is_another_trace(bank, read_in):
    read_in(bank.project, [row(id="q1")])

    assert read_in(bank.project, [row(id="q1")], teacher="QwQ").stored == 1
    assert Teacher.objects.count() == 2


def test_a_trace_that_was_collected_is_not_stored_again_when_it_is_imported(bank, read_in, make_teacher):
    from curator.services import teachers
    from tests.stand_in import completion, standing_in

    bank.questions.get(external_id="q2").delete()
    with standing_in(lambda *_: completion("Final Answer: <|im_end|>4", thinking="2+2\r\n=4")) as server:
        teacher = make_teacher(bank.project, name="R1", base_url=server.url, price_out_usd=Decimal(1))
        teachers.run_collection(job=teachers.start_collection(teacher=teacher, by=None))
    kept = Trace.objects.get()

    report = read_in(bank.project, [row(id="q1", thinking=kept.thinking, answer=kept.answer)])

    assert (report.stored, report.duplicates) == (0, 1)


def test_a_known_teacher_is_used_and_its_address_kept(bank, read_in, make_teacher):
    teacher = make_teacher(bank.project, name="R1", base_url="https://r1.example/v1")

    read_in(bank.project, [row(id="q1")])

    assert Trace.objects.get().teacher == teacher


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
    report = read_in(bank.project, [row(id="q1"), row("", "", id="q1"), {"id": "q2", "thinking": None}])

    assert report.stored == 1
    assert report.failed == 2


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
def test_a_file_with_a_fault_makes_no_teacher_and_no_trace(bank, read_in, rows, sentence):
    with pytest.raises(Refusal) as refused:
        read_in(bank.project, rows)

    assert sentence in str(refused.value)
    assert not Teacher.objects.exists()
    assert not Trace.objects.exists()


@pytest.mark.parametrize("name", ["", "n" * 101])
def test_a_teacher_s_name_that_is_none_is_refused(bank, read_in, name):
    with pytest.raises(Refusal, match="Name: "):
        read_in(bank.project, [row(id="q1")], teacher=name)
