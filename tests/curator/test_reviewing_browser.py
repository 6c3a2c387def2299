"""Two reviewers in real browsers judge twenty real traces of one queue by keys alone, one of them through a tunnel."""

import gzip
import json
from random import Random

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from common.access import Role
from curator.models import Doubt, Review, Trace
from curator.services import queues
from curator.services.queues import QueueSettings
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TRACES = 20
FILES = ("kimi_k2_thinking_mmlu_pro", "qwen3_next_mmlu_pro_opinion", "deepseek_r1_math500_sample")


@pytest.fixture
def real_traces(real_pools, make_pool, make_question, make_teacher, make_trace):
    """Return twenty traces that reasoning models really wrote."""
    rows = []
    for name in FILES:
        with gzip.open(real_pools / "traces" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            rows += [row for row in map(json.loads, file) if len(row["thinking"]) > 2_000][:7]
    pool = make_pool()
    teachers = {name: make_teacher(pool.project, name=name) for name in {row["teacher"] for row in rows}}
    return [
        make_trace(
            make_question(
                pool,
                text=row["question"],
                options=row["options"] or [],
                key=str(row["reference"] or ""),
                language=row["language"],
            ),
            teachers[row["teacher"]],
            thinking=row["thinking"],
            answer=row["answer"],
            thinking_tokens=len(row["thinking"]) // 4,
            verdict="right" if row["correct"] else "wrong",
        )
        for row in rows[:TRACES]
    ]


@pytest.fixture
def queue(real_traces):
    project = real_traces[0].question.project
    return queues.open_queue(project=project, name="real", by=None, settings=QueueSettings(lease_minutes=15))


@pytest.fixture
def open_window(browser):
    """Return what opens windows that share nothing; they are closed at the end."""
    contexts = []

    def open_one():
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB"))
        return contexts[-1].new_page()

    yield open_one
    for context in contexts:
        context.close()


def signed_in(page, live_server, user, queue):
    page.goto(live_server.url + "/accounts/login/")
    page.locator("input[name=login]").fill(user.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button.primary").first.click()
    page.wait_for_load_state()
    page.goto(live_server.url + reverse("queue_desk", args=[queue.pk]))
    page.locator("#desk").wait_for()
    return page


def shown(page):
    return int(page.locator("#desk").get_attribute("data-trace"))


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def judged(page, *keys):
    """Press keys of which the last is a word; wait until another trace, or the end, is shown."""
    before = shown(page)
    press(page, *keys)
    page.wait_for_function(
        "before => document.querySelector('#desk')?.dataset.trace !== String(before)", arg=before
    )
    return before


def test_twenty_real_traces_by_two_reviewers_and_one_loses_the_line(
    open_window, live_server, queue, make_member
):
    project = queue.project
    people = [make_member(project, Role.REVIEWER) for _each in range(2)]
    ann, bo = (signed_in(open_window(), live_server, person, queue) for person in people)
    said: dict[int, str] = {}

    assert shown(ann) != shown(bo)
    for _round in range(4):
        press(ann, "j", "j", "n", "f")
        said[judged(ann, "a")] = "accept"
        press(bo, "j", "x", "1", "c")
        bo.keyboard.type("a leap, r a q")
        press(bo, "Escape")
        said[judged(bo, "r")] = "reject"
        assert shown(ann) != shown(bo)
    said[judged(ann, "q")] = "question"

    lost = shown(ann)
    ann.context.set_offline(True)
    press(ann, "c")
    ann.keyboard.type("said in a tunnel")
    press(ann, "Escape", "a")
    ann.get_by_text("No connection").wait_for()
    assert not Review.objects.filter(trace=lost).exists()
    said[judged(bo, "u")] = "unsure"  # the other goes on meanwhile, with traces of their own
    assert shown(bo) != lost
    ann.context.set_offline(False)
    ann.wait_for_function(
        "before => document.querySelector('#desk')?.dataset.trace !== String(before)", arg=lost
    )
    said[lost] = "accept"

    while len(said) < TRACES:
        for page in (ann, bo):
            if page.locator("#desk").count():
                said[judged(page, "a")] = "accept"
    bo.goto(live_server.url + reverse("queue_desk", args=[queue.pk]))
    bo.get_by_text("The queue is done").wait_for()

    assert dict(Review.objects.values_list("trace", "judgement")) == said
    assert Review.objects.count() == TRACES
    assert Review.objects.get(trace=lost).note == "said in a tunnel"
    assert Review.objects.filter(note="a leap, r a q", reasons=["wrong-answer"]).count() == 4
    assert Doubt.objects.count() == 1
    queue.refresh_from_db()
    assert (queue.done, queue.waiting) == (TRACES, 0)


def test_signals_stand_at_their_steps_and_n_leads_to_them(
    page, live_server, sign_in, make_member, make_trace, make_question
):
    words = [
        "river",
        "stone",
        "window",
        "garden",
        "letter",
        "winter",
        "candle",
        "forest",
        "silver",
        "bridge",
        "harbour",
        "meadow",
        "lantern",
        "orchard",
    ]
    plain = [" ".join(Random(part).choices(words, k=30)).capitalize() + "." for part in range(80)]
    wrong = "First we add the two numbers that the question gives: 17 + 25 = 43, and so there are 43 in all."
    thinking = "\n\n".join([*plain[:60], wrong, *plain[60:]])
    trace = make_trace(make_question(key="42"), thinking=thinking, answer="Final Answer: 42")
    queue = queues.open_queue(project=trace.question.project, name="one", by=None)
    sign_in(make_member(queue.project, Role.REVIEWER))

    page.goto(live_server.url + reverse("queue_desk", args=[queue.pk]))
    page.locator(".desk-signals [data-warns]").first.wait_for()
    step = page.locator(".desk .step.suspicious:not(.answer)")
    assert not step.is_visible()  # folded away with its neighbours
    page.keyboard.press("n")
    step.get_by_text("⚑ “17 + 25 = 43” does not hold: it is 42").wait_for()

    assert step.locator("h3 .badge-warn").inner_text() == "arithmetic"
    assert page.locator(".desk-rail a.warn .badge-warn").inner_text() == "arithmetic"
    step.get_by_text("First we add the two numbers").first.wait_for()
    # A function: a bare expression would be evaluated anew at each look, which the page's policy forbids.
    page.wait_for_function("() => CSS.highlights.get('signal')?.size === 1")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["queues", "queue", "queue_desk", "beside"])
def test_pages_of_queues_keep_the_rules_of_accessibility(
    page, live_server, sign_in, queue, make_member, make_trace, name, width
):
    project = queue.project
    sign_in(make_member(project, Role.CURATOR))
    question = Trace.objects.filter(question__project=project).first().question
    make_trace(question, thinking="Another one.\n\nIt says so.")
    given = {"queues": project.slug, "beside": question.pk}.get(name, queue.pk)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if width == 360 else "light")

    page.goto(live_server.url + reverse(name, args=[given]))
    page.wait_for_load_state("networkidle")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})

    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
