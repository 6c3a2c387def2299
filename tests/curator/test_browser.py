"""A real browser walks curation's pages: it signs in, uploads, selects and reviews."""

import pytest
from django.urls import reverse

from common.access import Role
from common.models import Membership
from curator import tasks
from curator.models import Import, Question, Review, Selection, Trace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sent(monkeypatch):
    """Carry the jobs of curation at once, in place of a worker."""
    for name in ("run_import", "run_selection"):
        task = getattr(tasks, name)
        monkeypatch.setattr(task, "delay_on_commit", lambda task=task, **arguments: task(**arguments))


def test_an_examiner_goes_from_an_upload_to_a_review(
    page, live_server, sign_in, sent, make_user, make_pool, tmp_path
):
    examiner = make_user()
    pool = make_pool()
    Membership.objects.create(project=pool.project, user=examiner, role=Role.OWNER)
    table = tmp_path / "题库.csv"
    table.write_text(
        "题目,答案,领域\n1加1等于几？,2,算术\n2加2等于几？,4,算术\n,5,算术\n", encoding="gb18030"
    )

    sign_in(examiner)
    page.goto(live_server.url + reverse("pool", args=[pool.pk]))
    page.locator("input[type=file]").set_input_files(table)
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_text("1加1等于几？").first.wait_for()
    page.locator("button[name=import]").click()
    page.wait_for_url("**/imports/*/")

    job = Import.objects.get()
    assert (job.rows_imported, job.rows_rejected) == (2, 1)

    for question in Question.objects.all():
        teacher = pool.project.teachers.get_or_create(name="teacher")[0]
        Trace.objects.create(
            question=question,
            teacher=teacher,
            thinking="想一想。",
            answer=f"答案：{question.key}",
            thinking_tokens=3,
            verdict="right",
            finish_reason="stop",
            content_hash=question.content_hash,
        )
    page.goto(live_server.url + reverse("selections", args=[pool.project.slug]))
    page.get_by_label("Size").fill("2")
    page.get_by_role("button", name="Select", exact=True).click()
    page.wait_for_url("**/selections/*/")
    assert Selection.objects.get(arm_of=None).decisions.filter(position__isnull=False).count() == 2

    page.goto(live_server.url + reverse("review", args=[Selection.objects.get(arm_of=None).pk]))
    page.get_by_text("想一想。").first.wait_for()
    page.keyboard.press("a")
    page.wait_for_load_state()
    page.get_by_text("想一想。").first.wait_for()
    assert Review.objects.get().judgement == "accept"
