"""Signals at the desk: worded, counted, and each with a link to its step."""

import pytest

from common.access import Role
from curator.core.signals import MOST, Sign
from curator.core.steps import cut
from curator.models import QualityPattern
from curator.queries.best import get_patterns
from curator.queries.signals import NAMES, get_signals
from curator.services import selections

PARAGRAPHS = [
    "First we add the two numbers that the question gives, carefully: 17 + 25 = 43, so there are 43 of them in all.",
    "Wait, is that so? Let us look at it again and count them one by one before anything else is said.",
    "The sum of the two is what the question asks for, and nothing beside it was asked. So the final answer is 42.",
    "But then again the final answer is 41, for one of them was counted twice in the first paragraph and",
]
THINKING = "\n\n".join(PARAGRAPHS)


@pytest.fixture
def trace(make_trace, make_question):
    return make_trace(make_question(key="42"), thinking=THINKING, answer="Final Answer: 41", verdict="wrong")


def rows_of(trace):
    question = trace.question
    groups = get_signals(trace, question, cut(trace.thinking), get_patterns(question.project))
    return {group.name: group for group in groups}, groups


def test_each_kind_has_a_name():
    assert set(NAMES) == set(Sign)


def test_signals_are_worded_and_know_their_steps(trace):
    by_name, groups = rows_of(trace)
    steps = cut(trace.thinking)

    assert [row.said for row in by_name["arithmetic"].rows] == ["“17 + 25 = 43” does not hold: it is 42"]
    assert "as the key does" in by_name["contradiction"].rows[0].said
    assert by_name["breaks off"].rows[0].step == len(steps)
    assert by_name["corrects itself"].is_soft
    assert by_name["arithmetic"].rows[0].quote.startswith("17 + 25")
    assert [group.name for group in groups if group.is_soft] == ["corrects itself"]


def test_a_pattern_of_the_project_is_a_signal_in_its_own_words(trace):
    QualityPattern.objects.create(
        project=trace.question.project,
        name="counted-twice",
        place="thinking",
        expression="counted twice",
        reason="It counts twice.",
    )

    by_name, _groups = rows_of(trace)

    assert "It counts twice." in [row.said for row in by_name["quality"].rows]


def test_no_more_than_a_screenful_of_a_kind_is_given_and_the_rest_counted(make_trace, make_question):
    thinking = "\n".join(f"And so {number} + 1 = {number + 3}." for number in range(MOST + 5))
    trace = make_trace(make_question(key="1"), thinking=thinking, answer="Final Answer: 1")

    by_name, _groups = rows_of(trace)

    assert len(by_name["arithmetic"].rows) == MOST
    assert by_name["arithmetic"].count == MOST + 5


@pytest.mark.parametrize("more", ["", "\n\nAnother paragraph that says nothing that was not said. " * 2_000])
def test_the_desk_asks_for_them_right_after_the_page(client, trace, make_member, more):
    client.force_login(make_member(trace.question.project, Role.REVIEWER))
    trace.thinking += more
    trace.save()
    job = selections.start_selection(project=trace.question.project, method="random", size=1, by=None)
    selections.run_selection(job=job)

    page = client.get(f"/selections/{job.pk}/review/").text
    panel = client.get(f"/traces/{trace.pk}/signals/").text

    assert f'hx-get="/traces/{trace.pk}/signals/" hx-trigger="load"' in page
    assert "“17 + 25 = 43” does not hold: it is 42" in panel
    assert 'href="#step-1"' in panel
