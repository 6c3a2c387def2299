"""A real browser walks curation's pages: it signs in, uploads, selects and reviews."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

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


@pytest.fixture
def empty_pool(make_user, make_pool, sign_in):
    """Return a pool without questions, whose owner is signed in."""
    examiner, pool = make_user(), make_pool()
    Membership.objects.create(project=pool.project, user=examiner, role=Role.OWNER)
    sign_in(examiner)
    return pool


def drop(page, files):
    """Drop texts by the names of their files where files are chosen."""
    page.locator("[data-upload-zone]").evaluate(
        """(zone, files) => {
            const dataTransfer = new DataTransfer();
            for (const [name, text] of files) dataTransfer.items.add(new File([text], name));
            for (const kind of ["dragenter", "dragover", "drop"])
                zone.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        list(files.items()),
    )


def test_two_files_are_dropped_and_how_one_is_written_is_corrected(page, live_server, empty_pool, sent):
    page.goto(live_server.url + reverse("pool", args=[empty_pool.pk]))

    drop(page, {"a.txt": "一加一等于几？;2\n二加二等于几？;4\n", "b.csv": "question,key\nWhat is 3?,3\n"})
    page.get_by_text("1 more file waits for your look").wait_for()
    page.get_by_label("Column names").select_option("0")
    page.get_by_role("button", name="Show again").click()
    page.get_by_label("Column 1").select_option("question")
    page.get_by_label("Column 2").select_option("key")
    page.get_by_role("button", name="Read 2 rows in").click()
    page.get_by_role("heading", name="b.csv").wait_for()
    page.get_by_role("button", name="Read 1 row in").click()
    page.wait_for_url("**/imports/*/")

    assert set(empty_pool.questions.values_list("text", "key")) == {
        ("一加一等于几？", "2"),
        ("二加二等于几？", "4"),
        ("What is 3?", "3"),
    }


@pytest.fixture
def bank(make_user, make_pool, make_question, sign_in):
    """Return a pool of three questions without keys, whose owner is signed in."""
    examiner, pool = make_user(), make_pool()
    Membership.objects.create(project=pool.project, user=examiner, role=Role.OWNER)
    for text in ("下列哪项是流动资产？", "What is a current asset?", "What is a liability?"):
        make_question(pool, text=text, key="", options=["cash", "land"])
    sign_in(examiner)
    return pool


def test_keys_are_filled_one_after_the_other_from_the_keyboard(page, live_server, bank):
    page.goto(live_server.url + reverse("questions", args=[bank.project.slug]) + "?key=missing")
    fields = page.locator("[data-fill]")
    fields.first.focus()

    page.keyboard.type("a")
    page.keyboard.press("Enter")
    expect(fields).to_have_count(2)
    expect(fields.first).to_be_focused()
    page.keyboard.type("D")
    page.keyboard.press("Enter")
    page.get_by_text("the options end at B").wait_for()
    expect(fields.first).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("B")
    page.keyboard.press("Enter")
    expect(fields).to_have_count(1)
    expect(fields.first).to_be_focused()

    assert list(bank.questions.order_by("pk").values_list("key", flat=True)) == ["A", "B", ""]


def test_questions_are_searched_chosen_and_pinned_and_that_is_undone(page, live_server, bank):
    page.goto(live_server.url + reverse("questions", args=[bank.project.slug]))

    page.get_by_label("Search").press_sequentially("asset")
    page.get_by_text("1 question", exact=True).wait_for()
    assert page.url.endswith("?text=asset&order=oldest")
    page.get_by_label("this page").check()
    expect(page.locator("input[name=question]")).to_be_checked()
    page.get_by_role("button", name="Pin").click()
    page.get_by_role("button", name="Undo the change of 1 question").wait_for()
    assert bank.questions.filter(standing="pinned").count() == 1

    page.get_by_role("button", name="Undo the change of 1 question").click()
    page.get_by_text("1 question is as before").wait_for()
    assert not bank.questions.filter(standing="pinned").exists()
    assert page.get_by_label("Search").input_value() == "asset"

    page.get_by_label("Key", exact=True).select_option("there")
    page.get_by_text("No question is like that").wait_for()
    page.get_by_text("More filters").click()
    page.get_by_label("near copy").check()
    page.wait_for_url("**flags=copy**")
