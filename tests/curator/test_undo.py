"""An import is taken back whole, and only as long as nothing stands on it."""

from pathlib import Path

import pytest
from django.utils import timezone

from common.core.refusal import Refusal
from common.jobs import JobState
from curator.models import (
    Attempt,
    Collection,
    Import,
    Leak,
    NearCopy,
    Question,
    QuestionEdit,
    QuestionWords,
    RowReport,
    Selection,
    Solver,
)
from curator.services import benchmarks, pools, questions, undo, words

FIVE = (
    "id,question,answer,domain,marks\n"
    "a,What is 1 and 1?,2,sums,1\n"
    "b,What is 2 and 2?,,sums,\n"
    "c,,4,sums,\n"
    "d,What  is 1 AND 1?,2,sums,1\n"
    "e,What is 3 and 3?,6,more,many\n"
)


def test_undoing_an_import_takes_back_its_questions_and_reports_alone(make_pool, make_question, read_in):
    pool = make_pool()
    older = make_question(pool)
    job = read_in(pool, FIVE)

    undo.undo_import(job=job)

    assert list(pool.questions.all()) == [older]
    assert not RowReport.objects.exists()
    assert not pool.imports.exists()


def test_a_file_can_be_read_again_after_it_was_undone(make_pool, read_in):
    pool = make_pool()
    undo.undo_import(job=read_in(pool, FIVE))

    assert read_in(pool, FIVE).rows_imported == 2


def test_an_import_that_models_have_answered_cannot_be_undone(make_pool, make_trace, read_in):
    job = read_in(make_pool(), FIVE)
    make_trace(job.questions.first())

    with pytest.raises(Refusal, match=r"Models have answered questions of bank\.csv"):
        undo.undo_import(job=job)

    assert job.questions.count() == 2


def test_an_import_that_a_solver_has_tried_cannot_be_undone(make_pool, read_in):
    job = read_in(make_pool(), FIVE)
    solver = Solver.objects.create(project=job.project, name="weak")
    Attempt.objects.create(question=job.questions.first(), solver=solver)

    with pytest.raises(Refusal, match="Models have answered"):
        undo.undo_import(job=job)


def test_an_import_that_a_selection_names_cannot_be_undone(make_pool, read_in):
    job = read_in(make_pool(), FIVE)
    selection = Selection.objects.create(project=job.project, name="s", method={}, size=1)
    selection.decisions.create(question=job.questions.first(), stage="quality", reason="No figure.")
    Selection.objects.update(state="cancelled", finished_at=timezone.now())

    with pytest.raises(Refusal, match=r"A selection names questions of bank\.csv"):
        undo.undo_import(job=job)

    assert job.questions.count() == 2


def test_a_waiting_import_cannot_be_undone(make_pool, tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text(FIVE)
    job = pools.start_import(pool=make_pool(), content=path, file_name="bank.csv", mapping=None, by=None)

    with pytest.raises(Refusal, match=r"bank\.csv is being read; cancel that first\."):
        undo.undo_import(job=job)


def test_what_machines_made_of_the_questions_goes_with_them(make_pool, make_question, read_in, tmp_path):
    pool = make_pool()
    other = make_question(pool)
    held_out = tmp_path / "held-out.csv"
    held_out.write_text("question,answer\nWhat is 1 and 1?,2\n")
    benchmarks.import_benchmark(project=pool.project, path=held_out, name="held out")
    job = read_in(pool, FIVE)
    words.write_missing_words()
    NearCopy.objects.create(question=other, keeper=job.questions.first(), kind="text", likeness=0.9)
    assert Leak.objects.exists()

    undo.undo_import(job=job)

    assert list(QuestionWords.objects.values_list("question", flat=True)) == [other.pk]
    assert (Leak.objects.count(), NearCopy.objects.count()) == (0, 0)


def test_keys_that_an_import_filled_in_are_taken_back(make_pool, read_in, make_trace):
    pool = make_pool()
    read_in(pool, "question,answer\nWhat is 1 and 1?,\nWhat is 2 and 2?,\n")
    one, two = pool.questions.all()
    trace = make_trace(one, answer="Final Answer: 2", verdict="unkeyed")
    job = read_in(pool, "question,answer\nWhat is 1 and 1?,2\nWhat is 2 and 2?,4\n", "keys.csv")
    questions.set_key(question=two, key="four", by=None)

    undo.undo_import(job=job)

    for row in (one, two, trace):
        row.refresh_from_db()
    assert (one.key, two.key, trace.verdict) == ("", "four", "unkeyed")


def by_an_edit(question):
    QuestionEdit.objects.create(question=question, field="text", before="a", after="b")


def by_a_pin(question):
    questions.set_standing(question=question, standing="pinned", by=None)


def by_a_ruling(question):
    Question.objects.filter(pk=question.pk).update(copy_ruling="keeper")


def by_a_label(question):
    Question.objects.filter(pk=question.pk).update(domain_source="expert")


@pytest.mark.parametrize("touch", [by_an_edit, by_a_pin, by_a_ruling, by_a_label])
def test_an_import_on_which_experts_have_worked_cannot_be_undone(make_pool, read_in, touch):
    job = read_in(make_pool(), FIVE)
    touch(job.questions.first())

    with pytest.raises(Refusal, match=r"Experts have worked on questions of bank\.csv"):
        undo.undo_import(job=job)

    assert job.questions.count() == 2


def test_an_import_that_a_later_file_repeats_is_undone_after_that(make_pool, read_in):
    pool = make_pool()
    first = read_in(pool, FIVE)
    later = read_in(pool, "question\nWhat is 2 and 2?\nAnd this?\n", "later.csv")

    with pytest.raises(Refusal, match="Rows of a later file repeat questions"):
        undo.undo_import(job=first)
    undo.undo_import(job=later)
    undo.undo_import(job=first)

    assert not Question.objects.exists()


def test_an_import_is_not_undone_while_a_teacher_is_asked(make_pool, read_in, make_teacher):
    job = read_in(make_pool(), FIVE)
    Collection.objects.create(project=job.project, teacher=make_teacher(job.project))

    with pytest.raises(Refusal, match="is going on; wait for its end"):
        undo.undo_import(job=job)


def test_undoing_a_failed_import_removes_its_upload(make_pool, read_in):
    pool = make_pool()
    with pytest.raises(Refusal):
        read_in(pool, "a,b\n1,2\n")
    job = Import.objects.get()
    assert (job.state, Path(job.file_path).is_file()) == (JobState.FAILED, True)

    undo.undo_import(job=job)

    assert not Path(job.file_path).exists()
