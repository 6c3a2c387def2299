"""A real browser walks curation's pages: it signs in, uploads, selects and reviews."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from common.access import Role
from common.models import Membership
from curator import tasks
from curator.models import Import, Question, Review, Selection, Trace
from curator.services import reviews, selections
from curator.services.reviews import Word

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
    page.get_by_text("1 of 2 judged").wait_for()
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
    page.wait_for_url("**/imports/*/")
    page.get_by_role("link", name="b.csv").click()
    page.get_by_role("heading", name="b.csv").wait_for()
    page.get_by_role("button", name="Read 1 row in").click()
    page.wait_for_url("**/imports/*/")

    assert set(empty_pool.questions.values_list("text", "key")) == {
        ("一加一等于几？", "2"),
        ("二加二等于几？", "4"),
        ("What is 3?", "3"),
    }


def test_a_refused_file_says_why_and_does_not_come_back(page, live_server, empty_pool, sent):
    page.goto(live_server.url + reverse("pool", args=[empty_pool.pk]))

    drop(page, {"zero.csv": ""})
    page.get_by_text("zero.csv · 0 bytes").wait_for()
    page.get_by_text("zero.csv is empty; export it again.").wait_for()
    drop(page, {"head.csv": "question,key\n", "good.csv": "question,key\nWhat is 3?,3\n"})
    page.get_by_text("head.csv has a header but no rows").wait_for()
    page.get_by_role("link", name="Look at the files that were kept").click()
    page.get_by_role("button", name="Read 1 row in").click()
    page.wait_for_url("**/imports/*/")

    assert page.get_by_role("heading", name="good.csv").is_visible()
    assert not page.get_by_text("Waiting for your look").count()


def test_a_file_that_must_be_read_otherwise_is_shown_with_what_is_wrong(page, live_server, empty_pool, sent):
    page.goto(live_server.url + reverse("pool", args=[empty_pool.pk]))

    drop(page, {"head.csv": "question,key\n"})
    page.get_by_role("alert").get_by_text("head.csv has a header but no rows").wait_for()
    page.get_by_role("button", name="Leave this file out").click()

    page.get_by_role("heading", name="Read a file").wait_for()
    assert not page.get_by_text("Waiting for your look").count()


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
    assert page.url.endswith("?text=asset")
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


@pytest.fixture
def desk(page, live_server, sign_in, make_user, make_pool, make_question, make_teacher, make_trace):
    """Return a reviewer's desk with six traces of three questions, of which one teacher's stand."""
    reviewer, pool = make_user(), make_pool()
    Membership.objects.create(project=pool.project, user=reviewer, role=Role.REVIEWER)
    one, other = make_teacher(pool.project, name="Ada"), make_teacher(pool.project, name="Bo")
    for number in range(3):
        question = make_question(pool, text=f"Question {number}", key="7")
        for teacher, said in ((one, "7"), (other, "8")):
            make_trace(
                question,
                teacher,
                thinking=f"{teacher.name} looks at the whole question first.\n\n"
                f"Wait, is it really {said}, as it seems?\n\n"
                f"So it is, and $\\frac{{{said}}}{{1}}$ is the answer to it.",
                answer=f"Final Answer: {said}",
                verdict="right" if said == "7" else "wrong",
            )
    job = selections.start_selection(project=pool.project, method="random", size=3, by=None)
    selections.run_selection(job=job)
    sign_in(reviewer)
    page.goto(live_server.url + reverse("review", args=[job.pk]))
    page.get_by_text("0 of 3 judged").wait_for()
    return reviewer


def test_a_trace_is_judged_by_keys_alone_and_a_word_taken_back(page, desk):
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("2")
    page.keyboard.press("c")
    page.keyboard.type("that is a leap, r a q")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.get_by_text("1 of 3 judged").wait_for()

    first = Review.objects.get()
    assert (first.judgement, first.note, first.reasons) == (
        "reject",
        "that is a leap, r a q",
        ["wrong-step"],
    )
    assert first.trace.thinking[first.first_wrong :].startswith("Wait, ")
    page.keyboard.press("q")
    page.get_by_text("2 of 3 judged").wait_for()
    assert Question.objects.get(doubts__isnull=False)
    page.keyboard.press("z")
    page.get_by_text("1 of 3 judged").wait_for()
    assert not Question.objects.filter(doubts__isnull=False).exists()


def test_words_said_without_a_connection_are_sent_when_it_is_back(page, desk, console_errors):
    page.context.set_offline(True)
    page.keyboard.press("c")
    page.keyboard.type("said in a tunnel")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.get_by_text("No connection").wait_for()
    assert not Review.objects.exists()

    page.context.set_offline(False)
    page.get_by_text("1 of 3 judged").wait_for()

    assert (Review.objects.get().judgement, Review.objects.get().note) == ("accept", "said in a tunnel")
    assert all("DISCONNECTED" in each or "htmx" in each for each in console_errors)
    console_errors.clear()


def test_a_draft_outlives_a_closed_window(page, desk):
    page.keyboard.press("c")
    page.keyboard.type("half a thou")
    page.get_by_text("Draft saved").wait_for()

    page.reload()

    expect(page.get_by_label("Note")).to_have_value("half a thou")


def test_two_windows_of_one_reviewer_overwrite_nothing_silently(page, desk):
    trace = Trace.objects.get(pk=page.locator("#desk").get_attribute("data-trace"))
    reviews.judge(trace=trace, reviewer=desk, word=Word("reject"))

    page.keyboard.press("a")
    page.get_by_text("in another window meanwhile").wait_for()

    assert Review.objects.get().judgement == "reject"


def test_another_teachers_trace_is_read_and_chosen_by_keys(page, desk):
    shown = page.locator(".desk-answers [aria-current] strong").inner_text()
    page.keyboard.press("t")
    expect(page.locator(".desk-answers [aria-current] strong")).not_to_have_text(shown)
    page.wait_for_load_state()  # the keys of the new page are there

    page.keyboard.press("b")
    page.locator(".desk-answers [aria-current] .badge-good").wait_for()

    assert Question.objects.get(chosen_trace__isnull=False).chosen_trace.expert == desk


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_desk_keeps_the_rules_of_accessibility(page, desk, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)

    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})

    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
