"""Malformed files on their way into the database: a sentence, and nothing half-imported."""

import io

import pytest

from common.core.refusal import Refusal
from common.jobs import JobState
from curator.models import Import, Question, RowReport
from curator.services import imports, pools
from tests.curator.test_malformed import REFUSED


@pytest.mark.django_db
@pytest.mark.parametrize("kind", REFUSED)
def test_nothing_of_a_malformed_file_comes_into_the_database(make_pool, make_question, kind):
    pool = make_pool()
    make_question(pool)

    def bring_in():
        content = io.BytesIO(REFUSED[kind][0])
        job = pools.start_import(pool=pool, content=content, file_name="期末考试.csv", mapping=None, by=None)
        imports.run_import(job=job)

    with pytest.raises(Refusal) as refused:
        bring_in()

    assert str(refused.value).endswith(".")
    assert Question.objects.count() == 1
    assert not RowReport.objects.exists()
    assert not Import.objects.filter(state=JobState.SUCCEEDED).exists()
    assert not Import.objects.exclude(rows_imported=0).exists()
