"""What a task does with what its service says."""

import logging

import pytest

from common.core.refusal import Refusal
from common.jobs import AlreadyClaimed
from common.tasks import carry
from curator.models import Selection


@pytest.fixture
def job(make_project):
    return Selection.objects.create(project=make_project(), name="s", method={}, method_name="random", size=1)


def says(fault):
    def service(*, job):
        raise fault

    return service


def test_a_refusal_is_logged_as_a_sentence_and_not_as_a_fault(job, caplog):
    with caplog.at_level(logging.INFO):
        carry(Selection, job.pk, says(Refusal("The pool is empty.")))

    [record] = [each for each in caplog.records if each.name == "common.tasks"]
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert "The pool is empty." in record.getMessage()


def test_a_job_that_another_worker_has_is_left_to_it(job, caplog):
    with caplog.at_level(logging.INFO):
        carry(Selection, job.pk, says(AlreadyClaimed()))

    assert "claimed already" in caplog.text


def test_a_fault_of_the_program_is_not_swallowed(job):
    with pytest.raises(ZeroDivisionError):
        carry(Selection, job.pk, says(ZeroDivisionError()))
