"""What reviewers say of the same traces is compared, and whoever curates has the last word."""

import pytest

from common.access import Role
from curator.models import Adjudication
from curator.queries.agreement import get_agreement, get_disputed
from curator.services import reviews, rubrics, selections
from curator.services.reviews import Word


@pytest.fixture
def judged(make_project, make_pool, make_question, make_trace, make_user):
    """Return a selection of four traces: two agreed on, one disputed, one judged once."""
    project = make_project()
    pool = make_pool(project)
    for _each in range(4):
        make_trace(make_question(pool))
    selection = selections.start_selection(project=project, method="random", size=4, by=None)
    selections.run_selection(job=selection)
    codes = [reason.code for reason in rubrics.reasons_of(project)]
    one, other = make_user(), make_user()
    traces = [decision.trace for decision in reviews.members(selection)]
    said = [
        (traces[0], one, Word("accept")),
        (traces[0], other, Word("accept")),
        (traces[1], one, Word("reject", reasons=(codes[0],))),
        (traces[1], other, Word("reject", reasons=(codes[1],))),
        (traces[2], one, Word("accept")),
        (traces[2], other, Word("reject", reasons=(codes[0],))),
        (traces[3], one, Word("accept")),
    ]
    for trace, reviewer, word in said:
        reviews.judge(trace=trace, reviewer=reviewer, word=word)
    return selection, traces


def test_agreement_is_counted_in_all_and_by_reason(judged):
    selection, _traces = judged

    found = get_agreement(selection)

    assert (found.whole.things, found.whole.same) == (3, 2)
    assert found.whole.kappa == pytest.approx(0.4)
    assert [(line.name, line.found.things, line.found.same) for line in found.by_reason] == [
        ("wrong answer", 2, 0),
        ("wrong step, right answer", 2, 1),
    ]


def test_disputed_traces_are_listed_and_settled_in_place(client, judged, make_member):
    selection, traces = judged
    client.force_login(make_member(selection.project, Role.CURATOR))
    address = f"/selections/{selection.pk}/review/agreement/"
    assert list(get_disputed(selection)) == [traces[2]]

    page = client.get(address).text
    response = client.post(
        f"/traces/{traces[2].pk}/adjudicate/", {"judgement": "accept", "note": "read it", "next": address}
    )

    assert "Where they disagree" in page
    assert (response.status_code, response.url) == (302, address)
    assert Adjudication.objects.get().trace == traces[2]
    assert "read it" in client.get(address).text


def test_a_selection_that_one_reviewer_judged_says_what_is_lacking(client, judged, make_member):
    selection, _traces = judged
    empty = selections.start_selection(project=selection.project, method="random", size=1, seed=3, by=None)
    client.force_login(make_member(selection.project, Role.REVIEWER))

    assert "Nothing to compare yet" in client.get(f"/selections/{empty.pk}/review/agreement/").text


def test_nobody_is_led_to_another_site(client, judged, make_member):
    selection, traces = judged
    client.force_login(make_member(selection.project, Role.CURATOR))

    response = client.post(
        f"/traces/{traces[2].pk}/adjudicate/", {"judgement": "accept", "next": "https://evil.example/"}
    )

    assert response.url == traces[2].get_absolute_url()
