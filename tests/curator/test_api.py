"""Curation over HTTP: what is read is what the pages show, and what is written goes through their services."""

import hashlib
import io
import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zipfile import ZipFile

import pytest

from common.access import Role
from common.jobs import JobState
from common.models import Membership
from common.services import make_token
from curator import queries
from curator.models import (
    Adjudication,
    Domain,
    NearCopy,
    Pool,
    Question,
    QuestionEdit,
    Review,
    ReviewChange,
    Selection,
)
from curator.services import datasets, reviews, versions, words
from tests.api import Caller, declared


@pytest.fixture
def project(make_project):
    return make_project()


@pytest.fixture
def pool(make_pool, project):
    return make_pool(project, name="Past papers")


@pytest.fixture
def owner(make_caller, project):
    return make_caller(project)


@pytest.fixture
def reviewer(make_caller, project):
    return make_caller(project, Role.REVIEWER)


@pytest.fixture
def selected(project, pool, make_question, make_trace):
    """Return a selection of three questions, drawn in the order of their keys."""
    now = {"started_at": "2026-01-01T00:00Z", "finished_at": "2026-01-01T00:01Z"}
    selection = Selection.objects.create(
        project=project,
        name="first",
        method={"name": "random"},
        method_name="random",
        size=3,
        state=JobState.SUCCEEDED,
        members_hash="m" * 64,
        funnel=[{"stage": "quality", "kept": 3, "dropped": 1, "usd": 0}],
        **now,
    )
    for place in range(3):
        trace = make_trace(make_question(pool))
        selection.decisions.create(
            question=trace.question, trace=trace, position=place, stage="draw", reason="It was drawn."
        )
    return selection


def walked(caller, name, *, limit, query=None, **named):
    """Return the rows of all pages of a list."""
    rows, after = [], ""
    while after is not None:
        asked = {**(query or {}), "limit": limit, **({"after": after} if after else {})}
        page = caller.call(name, query=asked, **named).json()
        assert len(page["items"]) <= limit
        rows += page["items"]
        after = page["after"]
    return rows


# --- questions ---


def test_all_pages_together_hold_every_question_once(owner, project, pool, make_question):
    made = [make_question(pool).pk for _each in range(7)]

    rows = walked(owner, "questions", limit=3, slug=project.slug)

    assert [row["id"] for row in rows] == made


def parameter(operation, name):
    """Return what the document says of a parameter."""
    return next(each["schema"] for each in declared(operation)["parameters"] if each["name"] == name)


ORDERS = parameter("questions", "order")["enum"]


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_can_be_walked_to_its_end(owner, project, pool, make_question, order):
    for number in range(5):
        make_question(pool, marks=number % 2 or None, text="问" * (1 + number), rating=number % 3 or None)

    rows = walked(owner, "questions", limit=2, query={"order": order}, slug=project.slug)

    assert len({row["id"] for row in rows}) == len(rows) == 5


def test_the_best_match_of_a_search_comes_first_page_by_page(owner, project, pool, make_question):
    made = [make_question(pool, text="tax " * times + "of the year") for times in (1, 4, 2)]
    words.write_missing_words()

    query = {"order": "best", "text": "tax "}
    rows = walked(owner, "questions", limit=2, query=query, slug=project.slug)

    assert [row["id"] for row in rows] == [made[place].pk for place in (1, 2, 0)]


def test_the_orders_and_flags_are_those_of_the_page():
    assert ["best", *queries.ORDERS] == ORDERS
    assert parameter("questions", "flags")["items"]["enum"] == list(queries.FLAGS)


def test_questions_are_found_by_all_filters_together(
    owner, project, pool, make_pool, make_question, make_trace
):
    domain = Domain.objects.create(project=project, code="2", name="Torts")
    below = Domain.objects.create(project=project, code="2.1", name="Nuisance", parent=domain)
    wanted = make_question(
        pool,
        text="合同法：要约何时生效？",
        language="zh",
        tags=["2024", "a"],
        domain=below,
        rating=3,
        marks=5,
    )
    make_trace(wanted)
    make_question(make_pool(project), text="合同法：承诺何时生效？", language="zh")
    asked = {"text": "要约", "pool": "Past papers", "domain": "2", "language": "zh", "rating": "3"}
    asked |= {"tags": ["2024", "a"], "traces": "some", "key": "there", "marks_from": 5, "standing": "open"}

    (row,) = owner.call("questions", query=asked, slug=project.slug).json()["items"]

    assert row["id"] == wanted.pk
    assert (row["domain"], row["pool"], row["traces"], row["right"]) == ("2.1", "Past papers", 1, 1)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"after": "x"}, "after"),
        ({"after": "1~2"}, "after"),
        ({"after": "9" * 30}, "after"),
        ({"after": "nan~1", "order": "least_sure"}, ""),
        ({"pool": "no such"}, "pool"),
        ({"pool": "a\x00b"}, "pool"),
        ({"text": "a\x00b"}, "text"),
        ({"text": "x" * 5000}, "text"),
        ({"domain": "no such"}, "domain"),
        ({"order": "by_luck"}, "order"),
        ({"marks_from": "nan"}, "marks_from"),
        ({"marks_to": "1e400"}, "marks_to"),
        ({"flags": "unheard"}, "flags.0"),
        ({"tags": ["x" * 51]}, "tags.0"),
        ({"tag": "2024"}, "tag"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_its_name(owner, project, query, field):
    response = owner.call("questions", query=query, slug=project.slug)

    if field:
        assert response.status_code == 422
        assert [fault["field"] for fault in response.json()["fields"]] == [field]
    assert response.status_code in (200, 422)


def test_a_question_says_all(owner, pool, make_question):
    question = make_question(pool, solution="Add.", options=["1", "2"], key="B", marks="2.50")
    copy = make_question(pool)
    NearCopy.objects.create(question=question, keeper=copy, kind="text", likeness=0.9)

    said = owner.call("question", number=question.pk).json()

    assert said["solution"] == "Add."
    assert said["options"] == ["1", "2"]
    assert said["marks"] == 2.5
    assert said["is_copy"] is True


def test_a_correction_goes_through_the_pages_service_and_marks_anew(owner, pool, make_question, make_trace):
    question = make_question(pool, text="1+1?", key="2", options=[])
    trace = make_trace(question)
    seen = owner.call("question", number=question.pk).json()["seen"]

    changed = owner.call(
        "question_correct",
        body={"seen": seen, "key": "3", "tags": ["checked"], "marks": 2.25},
        number=question.pk,
    )

    assert changed.status_code == 200
    assert (changed.json()["key"], changed.json()["marks"]) == ("3", 2.25)
    trace.refresh_from_db()
    assert trace.verdict == "wrong"
    edits = QuestionEdit.objects.filter(question=question)
    assert {edit.field: edit.changed_by for edit in edits} == dict.fromkeys(
        ("key", "tags", "marks"), owner.user
    )


def test_a_correction_of_something_else_by_now_is_a_conflict(owner, pool, make_question):
    question = make_question(pool)
    seen = owner.call("question", number=question.pk).json()["seen"]
    owner.call("question_correct", body={"seen": seen, "rating": 2}, number=question.pk)

    refused = owner.call("question_correct", body={"seen": seen, "rating": 5}, number=question.pk)

    assert refused.status_code == 409
    assert owner.call("question", number=question.pk).json()["rating"] == 2


def test_a_domain_is_given_and_taken_by_its_code(owner, project, pool, make_question):
    domain = Domain.objects.create(project=project, code="2.1", name="Nuisance")
    question = make_question(pool)

    given = owner.call("question", number=question.pk).json()
    put = owner.call(
        "question_correct", body={"seen": given["seen"], "domain": "2.1"}, number=question.pk
    ).json()
    out = owner.call(
        "question_correct", body={"seen": put["seen"], "domain": None}, number=question.pk
    ).json()

    assert (put["domain"], put["domain_source"], out["domain"]) == (domain.code, "expert", "")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": "x" * 100_001}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": None}, "text"),
        ({"options": "A"}, "options"),
        ({"options": ["x"] * 99}, "options"),
        ({"marks": -1}, "marks"),
        ({"marks": "many"}, "marks"),
        ({"rating": 6}, "rating"),
        ({"language": "tlh"}, "language"),
        ({"tags": [""]}, "tags.0"),
        ({"domain": "none such"}, "domain"),
        ({"standing": "pinned"}, "standing"),
        ({"content_hash": "x"}, "content_hash"),
        ({"project": 1}, "project"),
    ],
)
def test_a_correction_that_cannot_be_names_its_field_and_changes_nothing(
    owner, pool, make_question, values, field
):
    question = make_question(pool)
    seen = owner.call("question", number=question.pk).json()["seen"]

    refused = owner.call("question_correct", body={"seen": seen, "rating": 1, **values}, number=question.pk)

    assert refused.status_code == 422
    assert [fault["field"] for fault in refused.json()["fields"]] == [field]
    question.refresh_from_db()
    assert question.rating is None


@pytest.mark.parametrize("values", [{"text": " "}, {"options": ["1", "2"], "key": "Q"}])
def test_a_correction_that_the_service_refuses_comes_with_its_sentence(owner, pool, make_question, values):
    question = make_question(pool)
    seen = owner.call("question", number=question.pk).json()["seen"]

    refused = owner.call("question_correct", body={"seen": seen, **values}, number=question.pk)

    assert refused.status_code == 422
    assert refused.json()["error"]
    assert refused.json()["fields"] == []


def test_questions_are_banned_and_tagged_in_bulk_with_history(owner, project, pool, make_question):
    chosen = [make_question(pool) for _each in range(3)]
    keys = [question.pk for question in chosen]

    banned = owner.call("questions_stand", body={"questions": keys, "standing": "banned"}, slug=project.slug)
    again = owner.call("questions_stand", body={"questions": keys, "standing": "banned"}, slug=project.slug)
    tagged = owner.call("questions_tag", body={"questions": keys[:2], "add": ["甲"]}, slug=project.slug)

    assert [each.json()["changed"] for each in (banned, again, tagged)] == [3, 0, 2]
    assert Question.objects.filter(standing="banned", tags=["甲"]).count() == 2
    assert QuestionEdit.objects.filter(changed_by=owner.user).count() == 5


def test_a_bulk_change_that_names_anothers_question_changes_none(owner, project, pool, make_question):
    own, others = make_question(pool), make_question()

    refused = owner.call(
        "questions_stand", body={"questions": [own.pk, others.pk], "standing": "banned"}, slug=project.slug
    )

    assert refused.status_code == 422
    assert str(others.pk) in refused.json()["error"]
    assert not Question.objects.filter(standing="banned").exists()


@pytest.mark.parametrize("keys", [[], [0], [-1], [2**63], ["x"], list(range(1, 1002)), [None], 1])
def test_a_bulk_change_of_no_questions_is_refused(owner, project, keys):
    refused = owner.call("questions_stand", body={"questions": keys, "standing": "banned"}, slug=project.slug)

    assert refused.status_code == 422


# --- traces ---


def test_traces_are_found_and_read_whole(owner, project, pool, make_question, make_trace, make_teacher):
    question = make_question(pool)
    right = make_trace(question, make_teacher(project, name="r1"), thinking="<script>思考</script>")
    make_trace(question, make_teacher(project, name="r2"), verdict="wrong")

    rows = owner.call(
        "traces", query={"question": question.pk, "teacher": "r1", "verdict": "right"}, slug=project.slug
    ).json()["items"]
    whole = owner.call("trace", number=right.pk)

    assert [row["id"] for row in rows] == [right.pk]
    assert "thinking" not in rows[0]
    assert whole.json()["thinking"] == "<script>思考</script>"
    assert whole["Content-Type"].startswith("application/json")


def test_all_pages_of_traces_hold_each_once(owner, project, selected, make_trace):
    beside = make_trace(selected.decisions.first().question)

    rows = walked(owner, "traces", limit=2, slug=project.slug)
    members = walked(owner, "traces", limit=2, query={"selection": selected.pk}, slug=project.slug)

    assert len({row["id"] for row in rows}) == len(rows) == 4
    assert beside.pk not in {row["id"] for row in members}
    assert len(members) == 3


def test_anothers_selection_finds_no_traces(owner, project, selected, make_caller, make_project):
    other = make_project()

    rows = (
        make_caller(other).call("traces", query={"selection": selected.pk}, slug=other.slug).json()["items"]
    )

    assert rows == []


# --- reviews ---


def judgement(**said):
    return {"judgement": "accept", "seen": 0, "is_scripted": False, **said}


def test_a_judgement_is_recorded_replaced_and_undone(reviewer, selected):
    trace = selected.decisions.first().trace

    first = reviewer.call("review_put", body=judgement(note="好"), number=trace.pk).json()
    second = reviewer.call(
        "review_put", body=judgement(judgement="reject", seen=first["version"]), number=trace.pk
    ).json()
    undone = reviewer.call("review_undo", number=selected.pk).json()

    assert (first["judgement"], first["note"], first["version"]) == ("accept", "好", 1)
    assert (second["judgement"], second["version"]) == ("reject", 2)
    assert undone == {"trace": trace.pk}
    review = Review.objects.get(trace=trace)
    assert (review.judgement, review.reviewer, review.is_scripted) == ("accept", reviewer.user, False)
    assert ReviewChange.objects.count() == 1


def test_a_program_that_stood_in_for_an_expert_is_marked_as_one(reviewer, selected):
    trace = selected.decisions.first().trace

    said = reviewer.call("review_put", body=judgement(is_scripted=True), number=trace.pk).json()

    assert said["is_scripted"] is True
    assert Review.objects.get(trace=trace).is_scripted


@pytest.mark.parametrize("seen", [0, 2])
def test_a_judgement_that_knows_another_word_is_a_conflict_and_writes_nothing(reviewer, selected, seen):
    trace = selected.decisions.first().trace
    reviews.judge(trace=trace, reviewer=reviewer.user, word=reviews.Word("reject"))

    refused = reviewer.call("review_put", body=judgement(seen=seen), number=trace.pk)

    assert refused.status_code == 409
    assert "nothing was changed" in refused.json()["error"]
    assert Review.objects.get(trace=trace).judgement == "reject"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"judgement": "maybe"}, "judgement"),
        ({"seen": -1}, "seen"),
        ({"seen": None}, "seen"),
        ({"note": "x" * 5001}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"first_wrong": -1}, "first_wrong"),
        ({"first_wrong": 2**31}, "first_wrong"),
        ({"reasons": ["x" * 41]}, "reasons.0"),
        ({"scores": {"clarity": "good"}}, "scores.clarity"),
        ({"seconds": 10**9}, "seconds"),
        ({"reviewer": 1}, "reviewer"),
    ],
)
def test_a_judgement_that_cannot_be_names_its_field(reviewer, selected, said, field):
    trace = selected.decisions.first().trace

    refused = reviewer.call("review_put", body=judgement(**said), number=trace.pk)

    assert refused.status_code == 422
    assert [fault["field"] for fault in refused.json()["fields"]] == [field]
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    "said", [{"reasons": ["unheard"]}, {"scores": {"unheard": 3}}, {"first_wrong": 10**6}]
)
def test_a_judgement_that_names_what_the_project_has_not_is_refused(reviewer, selected, said):
    refused = reviewer.call("review_put", body=judgement(**said), number=selected.decisions.first().trace_id)

    assert refused.status_code == 422
    assert refused.json()["fields"] == []
    assert not Review.objects.exists()


def test_there_is_nothing_to_undo_before_a_judgement(reviewer, selected):
    assert reviewer.call("review_undo", number=selected.pk).status_code == 422


def test_what_colleagues_say_is_hidden_until_a_reviewer_has_judged(
    reviewer, owner, make_caller, project, selected
):
    trace = selected.decisions.first().trace
    colleague = make_caller(project, Role.REVIEWER)
    colleague.call("review_put", body=judgement(judgement="reject"), number=trace.pk)

    def reviewers(caller):
        rows = caller.call("reviews", query={"trace": trace.pk}, slug=project.slug).json()["items"]
        return [row["reviewer"] for row in rows]

    before, curators = reviewers(reviewer), reviewers(owner)
    reviewer.call("review_put", body=judgement(), number=trace.pk)

    assert before == []
    assert curators == [colleague.user.email]
    assert reviewers(reviewer) == [colleague.user.email, reviewer.user.email]


def test_reviews_are_found_by_their_filters(owner, project, selected):
    first, second, _third = (decision.trace for decision in selected.decisions.order_by("position"))
    reviews.judge(trace=first, reviewer=owner.user, word=reviews.Word("accept"))
    reviews.judge(trace=second, reviewer=owner.user, word=reviews.Word("reject"))

    query = {"selection": selected.pk, "judgement": "reject", "mine": "true"}
    rows = owner.call("reviews", query=query, slug=project.slug).json()["items"]
    every = walked(owner, "reviews", limit=1, slug=project.slug)

    assert [row["trace"] for row in rows] == [second.pk]
    assert [row["trace"] for row in every] == [first.pk, second.pk]


def test_the_last_word_needs_a_disagreement(owner, reviewer, selected):
    trace = selected.decisions.first().trace
    reviews.judge(trace=trace, reviewer=reviewer.user, word=reviews.Word("accept"))
    alone = owner.call("adjudicate", body={"judgement": "reject"}, number=trace.pk)
    reviews.judge(trace=trace, reviewer=owner.user, word=reviews.Word("reject"))

    decided = owner.call("adjudicate", body={"judgement": "reject", "note": "错"}, number=trace.pk)

    assert alone.status_code == 422
    assert decided.json() == {
        "trace": trace.pk,
        "judgement": "reject",
        "note": "错",
        "decided_by": owner.user.email,
    }
    assert Adjudication.objects.get().decided_by == owner.user


# --- selections and datasets ---


def test_a_selection_shows_its_funnel_and_members_in_the_order_drawn(owner, project, selected):
    (row,) = owner.call("selections", slug=project.slug).json()["items"]
    said = owner.call("selection", number=selected.pk).json()
    members = walked(owner, "selection_members", limit=2, number=selected.pk)

    assert row["id"] == selected.pk
    assert said["funnel"] == [{"stage": "quality", "kept": 3, "dropped": 1}]
    assert said["work"]["state"] == "succeeded"
    drawn = selected.decisions.order_by("position").values_list("question_id", flat=True)
    assert [member["question"] for member in members] == list(drawn)


def test_a_frozen_version_is_the_one_that_the_page_would_freeze(owner, project, selected):
    made = owner.call("selection_freeze", body={"name": "第一版"}, number=selected.pk).json()
    again = owner.call("selection_freeze", body={}, number=selected.pk).json()

    assert made["name"] == "第一版"
    assert made["rows"] == 3
    assert again["id"] == made["id"]
    assert made["card"]["method"]["name"] == "random"
    assert datasets.freeze(selection=selected, by=None).pk == made["id"]


def test_what_reviewers_reject_is_not_frozen(owner, selected):
    for decision in selected.decisions.all():
        reviews.judge(trace=decision.trace, reviewer=owner.user, word=reviews.Word("reject"))

    refused = owner.call("selection_freeze", body={}, number=selected.pk)

    assert refused.status_code == 422
    assert "rejected" in refused.json()["error"]


@pytest.fixture
def frozen(selected):
    return datasets.freeze(selection=selected, name="v1", by=None)


def test_versions_are_listed_read_and_made_current(owner, project, frozen):
    (row,) = owner.call("datasets", slug=project.slug).json()["items"]
    current = owner.call("dataset_current", number=frozen.pk).json()
    rows = walked(owner, "dataset_rows", limit=2, number=frozen.pk)

    assert (row["id"], row["is_current"]) == (frozen.pk, False)
    assert current["is_current"] is True
    assert [each["position"] for each in rows] == [0, 1, 2]
    assert rows[0]["content"]["question"] == frozen.rows.first().content["question"]
    assert versions.undo_current(project=project) is None


def body_of(response):
    return b"".join(response) if response.streaming else response.content


@pytest.mark.parametrize("whole", [True, False])
def test_the_file_is_the_very_one_that_the_version_is_known_by(owner, frozen, monkeypatch, whole):
    if not whole:
        monkeypatch.setattr("common.downloads.SENT_WHOLE", 10)

    response = owner.call("dataset_download", number=frozen.pk)

    assert response.streaming is not whole
    assert hashlib.sha256(body_of(response)).hexdigest() == frozen.content_hash
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"


FORMATS = parameter("dataset_download", "format")["enum"]


def test_the_formats_are_those_of_the_page():
    assert tuple(FORMATS) == datasets.FORMATS


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_can_be_had(owner, frozen, file_format):
    content = body_of(owner.call("dataset_download", query={"format": file_format}, number=frozen.pk))

    if file_format == "hf":
        with ZipFile(io.BytesIO(content)) as archive:
            assert any(name.endswith("README.md") for name in archive.namelist())
    elif file_format not in ("csv", "xlsx", "parquet"):
        assert len([json.loads(line) for line in content.splitlines()]) == 3
    assert content


def test_a_purpose_that_a_licence_forbids_is_refused_with_the_pools_name(owner, selected):
    Pool.objects.filter(name="Past papers").update(licence="CC-BY-NC-4.0")
    frozen = datasets.freeze(selection=selected, name="nc", by=None)

    own = owner.call("dataset_download", query={"purpose": "own"}, number=frozen.pk)
    sold = owner.call("dataset_download", query={"purpose": "sell"}, number=frozen.pk)

    assert own.status_code == 200
    assert sold.status_code == 422
    assert "Past papers" in sold.json()["error"]


# --- as a program sees it ---


def test_a_program_works_over_a_real_connection(live_server, project, selected, make_member):
    member = Membership.objects.get(user=make_member(project, Role.REVIEWER))
    _token, secret = make_token(membership=member, name="p", scope="write")
    root, trace = f"{live_server.url}/api/v1", selected.decisions.first().trace

    def send(method, path, body=None):
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        with urlopen(Request(root + path, sent, headers, method=method)) as answer:
            return json.load(answer)

    members = send("GET", f"/selections/{selected.pk}/members")["items"]
    said = send("PUT", f"/traces/{trace.pk}/review", judgement())
    with pytest.raises(HTTPError) as refused:
        send("PUT", f"/traces/{trace.pk}/review", judgement())
    with refused.value as answer:
        sentence = json.load(answer)["error"]

    assert members[0]["trace"] == trace.pk
    assert said["version"] == 1
    assert refused.value.code == 409
    assert "another window" in sentence


def test_the_number_of_queries_does_not_grow_with_the_page(
    owner, project, pool, make_question, django_assert_max_num_queries
):
    for _each in range(30):
        make_question(pool)

    with django_assert_max_num_queries(16):
        page = owner.call("questions", query={"limit": 30}, slug=project.slug).json()

    assert len(page["items"]) == 30


def test_the_same_person_reaches_each_project_with_its_own_token_only(
    client, make_project, make_user, make_pool, make_question
):
    person = make_user()
    projects = [make_project(owner=person) for _each in range(2)]
    questions = [make_question(make_pool(project)) for project in projects]
    callers = [
        Caller(client, make_token(membership=project.membership_set.get(), name="p", scope="read")[1])
        for project in projects
    ]

    statuses = [
        [caller.call("question", number=question.pk).status_code for question in questions]
        for caller in callers
    ]

    assert statuses == [[200, 404], [404, 200]]
