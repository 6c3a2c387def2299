"""The desk over HTTP: steps on demand, drafts, comments, flags, traces put right, and what reviewers judge by."""

import json

import pytest

from common.access import Role
from curator.models import Flag, Reason, Remark, Scale, TraceEdit
from curator.services import reviews, rubrics, selections

THINKING = (
    "We look at the whole question first.\n\nWait, is $\\frac{6}{2}$ really three?\n\nSo the answer is three."
)


@pytest.fixture
def trace(make_trace, make_question):
    return make_trace(make_question(key="3"), thinking=THINKING, answer="Final Answer: 4", verdict="wrong")


@pytest.fixture
def reviewer(client, trace, make_member):
    member = make_member(trace.question.project, Role.REVIEWER)
    client.force_login(member)
    return member


def test_a_step_is_set_or_raw_and_one_that_is_not_there_is_empty(client, trace, reviewer):
    address = f"/traces/{trace.pk}/steps/2/"

    assert "<mfrac>" in client.get(address).text
    assert "$\\frac{6}{2}$" in client.get(address, {"raw": 1}).text
    assert client.get(f"/traces/{trace.pk}/steps/99/").text == ""


def test_a_long_trace_comes_with_its_first_and_last_step_and_the_rest_on_demand(client, trace, reviewer):
    trace.thinking = "\n\n".join(f"Paragraph {number} says something. {'x ' * 200}" for number in range(100))
    trace.save()
    job = selections.start_selection(project=trace.question.project, method="random", size=1, by=None)
    selections.run_selection(job=job)

    page = client.get(f"/selections/{job.pk}/review/").text

    assert f'hx-get="/traces/{trace.pk}/steps/50/"' in page
    assert "Paragraph 99 says" in page
    assert len(page) < 120_000


def test_a_draft_is_kept_and_a_late_one_gets_the_later(client, trace, reviewer):
    def save(note, seen):
        return client.post(
            f"/traces/{trace.pk}/draft/", {"content": json.dumps({"note": note}), "seen": seen}
        ).json()

    assert save("one", 0) == {"content": {"note": "one"}, "version": 1, "is_mine": True}
    assert save("two", 1)["version"] == 2
    assert save("late", 1) == {"content": {"note": "two"}, "version": 2, "is_mine": False}


@pytest.mark.parametrize("content", ["", "[1]", "{", '"x"', '{"note": "' + "x" * 30_000 + '"}'])
def test_what_is_no_draft_is_refused(client, trace, reviewer, content):
    response = client.post(f"/traces/{trace.pk}/draft/", {"content": content, "seen": "0"})

    assert response.status_code == 400


def test_a_comment_finds_the_words_that_were_marked(client, trace, reviewer):
    start = THINKING.index("Wait")
    place = {"part": "thinking", "step_start": start, "step_end": len(THINKING)}

    client.post(f"/traces/{trace.pk}/comments/", {**place, "quote": "really three", "text": "why?"})
    client.post(f"/traces/{trace.pk}/comments/", {**place, "quote": "as it was set: 6⁄2", "text": "here"})
    client.post(f"/traces/{trace.pk}/comments/", {**place, "quote": "three", "text": ""})

    assert [remark.quote for remark in Remark.objects.order_by("pk")] == ["really three", THINKING[start:]]
    remark = Remark.objects.earliest("pk")
    client.post(f"/comments/{remark.pk}/erase/")
    assert Remark.objects.count() == 1


def test_a_comment_stands_at_the_words_that_were_marked_though_the_same_stand_above_them(
    client, trace, reviewer
):
    trace.thinking = "First\n\nso x = 2\n\nand again\n\nso x = 2\n"
    trace.save()
    second = trace.thinking.rindex("so x = 2")
    place = {"part": "thinking", "step_start": 0, "step_end": len(trace.thinking), "block_start": second}

    client.post(f"/traces/{trace.pk}/comments/", {**place, "quote": "so x = 2", "text": "why?"})

    assert Remark.objects.get().start == second


def test_a_step_that_cannot_be_typeset_says_so(client, trace, reviewer):
    trace.thinking = "> " * 200 + "deep\n\n" + "$" * 10
    trace.save()

    page = client.get(f"/traces/{trace.pk}/steps/1/").text

    assert "it is shown as it was written" in page


def test_a_flag_waits_on_the_page_of_agreement(client, trace, reviewer, make_member):
    colleague = make_member(trace.question.project, Role.CURATOR)
    job = selections.start_selection(project=trace.question.project, method="random", size=1, by=None)
    selections.run_selection(job=job)
    address = f"/selections/{job.pk}/review/agreement/"

    client.post(f"/traces/{trace.pk}/flag/", {"note": "is 6/2 fine?", "colleague": colleague.pk})

    assert "is 6/2 fine?" in client.get(address).text
    client.post(f"/flags/{Flag.objects.get().pk}/settle/", {"next": address})
    assert "is 6/2 fine?" not in client.get(address).text


def test_nobody_outside_the_project_is_asked(client, trace, reviewer, make_user):
    client.post(f"/traces/{trace.pk}/flag/", {"note": "?", "colleague": make_user().pk})

    assert not Flag.objects.exists()


def test_a_trace_is_put_right_and_what_it_said_is_shown_beside(client, trace, reviewer):
    form = {"thinking": THINKING.replace("\n", "\r\n"), "answer": "Final Answer: 3", "reason": "slip"}

    response = client.post(f"/traces/{trace.pk}/rewrite/", {**form, "seen": trace.content_hash})

    assert response.status_code == 302
    trace.refresh_from_db()
    assert (trace.verdict, trace.thinking, TraceEdit.objects.count()) == ("right", THINKING, 1)
    page = client.get(f"/traces/{trace.pk}/edits/").text
    assert "<del>4</del>" in page
    assert "<ins>3</ins>" in page
    again = client.post(f"/traces/{trace.pk}/rewrite/", {**form, "answer": "5", "seen": "0" * 64})
    assert "changed this trace while you did" in again.text


def test_the_rubric_is_changed_by_curators(client, trace, make_member):
    project = trace.question.project
    client.force_login(make_member(project, Role.CURATOR))
    address = f"/projects/{project.slug}/review/rubric/"

    client.post(address, {"name": "没有推导"})
    client.post(address, {"name": "Clarity", "steps": 4, "lowest": "muddled", "highest": "clear"})
    wrong = client.post(address, {"name": "Beauty", "steps": 40})

    page = client.get(address).text
    assert all(word in page for word in ("没有推导", "Clarity", "muddled"))
    assert "Beauty" not in {scale.name for scale in Scale.objects.all()}
    assert wrong.status_code == 200
    client.post(f"/reasons/{Reason.objects.get(name='没有推导').pk}/retire/")
    client.post(f"/scales/{Scale.objects.get().pk}/retire/")
    assert "没有推导" not in client.get(address).text
    assert rubrics.scales_of(project) == []


def test_a_question_in_doubt_says_so_and_is_settled_on_its_page(client, trace, make_member):
    project = trace.question.project
    reviews.judge(
        trace=trace,
        reviewer=make_member(project, Role.REVIEWER),
        word=reviews.Word("question", note="it is 3"),
    )
    client.force_login(make_member(project, Role.CURATOR))

    assert "it is 3" in client.get(f"/questions/{trace.question_id}/").text
    client.post(f"/questions/{trace.question_id}/doubts/")

    assert "it is 3" not in client.get(f"/questions/{trace.question_id}/").text


def test_hostile_traces_harm_nobody(client, make_trace, make_question, make_member):
    evil = "<script>alert(1)</script>\n\n\u202eevil\n\n" + "$\\def\\a{\\a}$ " * 40 + "x" * 300_000
    trace = make_trace(make_question(text=f"Q {evil[:200]}"), thinking=evil, answer=evil[:1000])
    job = selections.start_selection(project=trace.question.project, method="random", size=1, by=None)
    selections.run_selection(job=job)
    client.force_login(make_member(trace.question.project, Role.REVIEWER))

    page = client.get(f"/selections/{job.pk}/review/").text

    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert len(page) < 200_000


def test_who_wrote_what_is_hidden_until_the_reviewer_has_judged(
    client, trace, reviewer, make_trace, make_teacher
):
    other = make_teacher(trace.question.project, name="Zenobia")
    make_trace(trace.question, other)
    job = selections.start_selection(project=trace.question.project, method="random", size=1, by=None)
    selections.run_selection(job=job)
    address = f"/selections/{job.pk}/review/"

    open_page, blind_page = client.get(address).text, client.get(address, {"blind": 1}).text
    still_blind = client.get(address).text
    shown = reviews.members(job).first().trace
    reviews.judge(trace=shown, reviewer=reviewer, word=reviews.Word("accept"))
    after = client.get(address, {"at": 0}).text

    assert "Zenobia" in open_page
    assert all("Zenobia" not in page and "Trace A" in page for page in (blind_page, still_blind))
    assert "Zenobia" in after
    assert "Zenobia" in client.get(address, {"at": 0, "blind": 0}).text
