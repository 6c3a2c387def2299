"""Two traces of a question side by side: the ones in dispute first, names hidden on wish, the better one taken."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest

from common.access import Role
from curator.models import ChosenTrace


@pytest.fixture
def question(make_question):
    return make_question(key="4")


@pytest.fixture
def traces(question, make_teacher, make_trace):
    said = {"Kimi": "4", "Qwen": "4", "R1": "5"}
    return {
        name: make_trace(
            question,
            make_teacher(question.project, name=name),
            thinking=f"{name} thinks.\n\nSo it is ${answer}$.",
            answer=f"Final Answer: {answer}",
            verdict="right" if answer == "4" else "wrong",
        )
        for name, answer in said.items()
    }


@pytest.fixture
def reviewer(client, question, make_member):
    member = make_member(question.project, Role.REVIEWER)
    client.force_login(member)
    return member


def test_a_trace_that_no_other_agrees_with_is_shown_first(client, question, traces, reviewer):
    page = client.get(f"/questions/{question.pk}/beside/").text

    assert page.index('id="column-1">R1') < page.index('id="column-2">Kimi')
    assert "The two come to different answers." in page
    assert "R1 thinks." in page
    assert "Qwen thinks." not in page


def test_any_two_can_be_asked_for_and_others_are_not_found(client, question, traces, reviewer, make_trace):
    address = f"/questions/{question.pk}/beside/"
    foreign = make_trace(thinking="Of another project.")

    page = client.get(address, {"left": traces["Qwen"].pk, "right": traces["Kimi"].pk}).text
    other = client.get(address, {"left": foreign.pk, "right": "x"}).text

    assert page.index('id="column-1">Qwen') < page.index('id="column-2">Kimi')
    assert "The two come to the same answer." in page
    assert "Of another project." not in other


def test_names_are_hidden_on_wish(client, question, traces, reviewer):
    page = client.get(f"/questions/{question.pk}/beside/", {"blind": 1}).text

    assert 'id="column-1">Trace ' in page
    assert not any(f">{name} <" in page for name in traces)


def test_the_better_one_is_taken(client, question, traces, reviewer):
    page = client.get(f"/questions/{question.pk}/beside/").text
    assert f'action="/traces/{traces["Kimi"].pk}/take/"' in page

    client.post(f"/traces/{traces['Kimi'].pk}/take/", {"reason": "Better of two."})

    assert ChosenTrace.objects.get().trace == traces["Kimi"]
    assert "chosen" in client.get(f"/questions/{question.pk}/beside/").text


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/queues/7/review/?item=3", "/queues/7/review/?item=3"),
        ("https://elsewhere.example/", None),
        ("", None),
    ],
)
def test_who_reads_blind_is_led_back_to_judging_and_never_to_the_names(
    client, question, traces, reviewer, wanted, leads_to
):
    asked = {"blind": 1, "next": wanted}
    here = f"/questions/{question.pk}/beside/?{urlencode(asked)}"
    page = client.get(here).text
    field = unescape(re.search(r'name="next" value="([^"]*)"><input type="hidden" name="reason"', page)[1])

    reply = client.post(f"/traces/{traces['Kimi'].pk}/take/", {"reason": "Better.", "next": field})

    assert reply.url == (leads_to or here)
    assert ("Back to judging" in page) is (leads_to is not None)


def test_one_trace_alone_has_nothing_to_be_compared_with(client, question, make_trace, reviewer):
    make_trace(question)

    assert "Nothing to compare" in client.get(f"/questions/{question.pk}/beside/").text


def test_hostile_traces_stay_text(client, question, traces, reviewer):
    trace = traces["R1"]
    trace.thinking = "<script>alert(1)</script> \u202e " + "x" * 90_000
    trace.save()

    page = client.get(f"/questions/{question.pk}/beside/").text

    assert "<script>alert" not in page
    assert "more characters of thinking are not shown" in page
