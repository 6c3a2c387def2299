"""The list of questions, what is done to many of them, and one question's changes with their history."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.access import Role
from common.core.refusal import Refusal
from common.core.text import content_hash
from curator import queries
from curator.models import (
    Attempt,
    Benchmark,
    BenchmarkItem,
    Domain,
    Leak,
    NearCopy,
    Question,
    QuestionWords,
    Solver,
    Standing,
)
from curator.services import questions, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(make_project):
    return make_project()


@pytest.fixture
def owner(client, project, make_member):
    """Return an owner of the project, who is signed in."""
    person = make_member(project, Role.OWNER)
    client.force_login(person)
    return person


@pytest.fixture
def pool(project, make_pool):
    return make_pool(project)


@pytest.fixture
def listed(client, owner, project):
    """Return what opens the list of questions."""
    return lambda **chosen: client.get(f"/projects/{project.slug}/questions/", chosen)


@pytest.fixture
def act(client, owner, project):
    """Return what does something to many questions."""
    return lambda **values: client.post(f"/projects/{project.slug}/questions/change/", values)


def texts_of(response):
    return [row.question.preview for row in response.context["rows"]]


def history(question):
    return list(question.edits.order_by("pk").values_list("field", "before", "after"))


# --- the list ---


def test_the_list_pages_by_key_and_back_again(listed, pool, make_question):
    made = [make_question(pool) for _number in range(120)]

    second = listed(after=made[49].pk).context["page"]
    first_again = listed(before=made[50].pk).context["page"]
    last = listed(after=made[99].pk).context["page"]

    assert [row.pk for row in second.rows] == [row.pk for row in made[50:100]]
    assert [row.pk for row in first_again.rows] == [row.pk for row in made[:50]]
    assert (first_again.before, last.after) == (None, None)


@pytest.mark.parametrize("order", list(queries.ORDERS))
def test_paging_meets_every_question_once_in_any_order(project, pool, make_question, order):
    domains = [Domain.objects.create(project=project, code=code, name=code) for code in ("10", "a~b")]
    for number in range(23):
        make_question(
            pool,
            text="long " * (number % 4 + 1),
            marks=[None, 2, "2.50"][number % 3],
            rating=[None, 1, 5][number % 3],
            domain=[None, *domains][number % 3],
            domain_confidence=[None, 0.1, 0.30000000000000004][number % 3],
        )
    rows, sort = queries.get_questions(project), queries.ORDERS[order]

    forward, pages, page = [], [], queries.get_keyset_page(rows, sort, size=5)
    while True:
        forward += [row.pk for row in page.rows]
        pages.append([row.pk for row in page.rows])
        if page.after is None:
            break
        page = queries.get_keyset_page(rows, sort, after=queries.read_cursor(page.after, sort), size=5)
    back = [pages[-1]]
    while page.before is not None:
        page = queries.get_keyset_page(rows, sort, before=queries.read_cursor(page.before, sort), size=5)
        back.append([row.pk for row in page.rows])

    assert sorted(forward) == sorted(rows.values_list("pk", flat=True))
    assert len(forward) == 23
    assert back[::-1] == pages


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("oldest", "abc"),
        ("newest", "cba"),
        ("most_marks", "bac"),
        ("fewest_marks", "abc"),
        ("longest", "cba"),
        ("shortest", "abc"),
        ("domain", "bca"),
        ("least_sure", "bac"),
        ("hardest", "cab"),
    ],
)
def test_what_has_no_value_comes_last(listed, project, pool, make_question, order, expected):
    domain = Domain.objects.create(project=project, code="1", name="Assets")
    other = Domain.objects.create(project=project, code="2", name="Audit")
    make_question(pool, text="a", marks=1, rating=1, domain_confidence=0.9)
    make_question(pool, text="b" * 2, marks=2, domain=domain, domain_confidence=0.2)
    make_question(pool, text="c" * 3, rating=5, domain=other)

    assert "".join(text[0] for text in texts_of(listed(order=order))) == expected


@pytest.mark.parametrize(
    "place", ["x", "1~", "~", "1~2~", "é~3", "9" * 30, "1e9999999~3", "NaN~3", "\ud800~3", "2020-01-01~4"]
)
@pytest.mark.parametrize("order", list(queries.ORDERS))
def test_an_address_that_names_no_place_shows_the_first_page(listed, pool, make_question, order, place):
    make_question(pool, text="here")

    response = listed(order=order, after=place.encode("utf-8", "replace").decode())

    assert response.status_code == 200
    assert texts_of(response) == ["here"]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({"key": "missing"}, ["无答案的题"]),
        ({"text": "无答案"}, ["无答案的题"]),
        ({"language": "zh"}, ["无答案的题"]),
        ({"standing": "banned"}, ["How much is it?"]),
        ({"traces": "some"}, ["How much is it?"]),
        ({"traces": "none"}, ["无答案的题"]),
        ({"rating": "4"}, ["How much is it?"]),
        ({"rating": "none"}, ["无答案的题"]),
        ({"marks_from": "1.5"}, ["How much is it?"]),
        ({"marks_to": "1.5"}, []),
        ({"marks_from": "0", "marks_to": "2"}, ["How much is it?"]),
        ({"tags": "税"}, ["How much is it?"]),
        ({"tags": "税, 2019"}, ["How much is it?"]),
        ({"tags": "税, 2020"}, []),
        ({"domain": "none"}, ["无答案的题"]),
        ({"domain": "unsure"}, ["How much is it?"]),
        ({"domain_source": "rules"}, ["How much is it?"]),
        ({"flags": ["copy", "leak", "flaw", "neutralised"]}, ["How much is it?"]),
        ({"flags": ["copy"], "key": "missing"}, []),
        ({"marks_from": "abc", "key": "missing"}, ["无答案的题"]),
    ],
)
def test_the_list_is_filtered(listed, project, pool, make_question, make_trace, chosen, found):
    keeper = make_question(pool, text="无答案的题", key="", language="zh")
    domain = Domain.objects.create(project=project, code="1", name="Assets")
    known = {"domain": domain, "domain_source": "rules", "domain_confidence": 0.3, "neutralised": True}
    values = {
        "standing": Standing.BANNED,
        "rating": 4,
        "marks": 2,
        "tags": ["税", "2019"],
        "flaws": ["figure"],
    }
    question = make_question(pool, text="How much is it?", **known, **values)
    make_trace(question)
    NearCopy.objects.create(question=question, keeper=keeper, kind="text", likeness=0.9)
    benchmark = Benchmark.objects.create(project=project, name="paper", file_name="f", content_hash="b")
    item = BenchmarkItem.objects.create(
        benchmark=benchmark, position=0, content_hash="i", text="1+1?", key="2", language="en"
    )
    Leak.objects.create(question=question, item=item, shared_text="1")

    assert texts_of(listed(**chosen)) == found


def test_a_domain_is_listed_with_what_hangs_under_it(listed, project, pool, make_question):
    tax = Domain.objects.create(project=project, code="tax", name="Tax")
    vat = Domain.objects.create(project=project, code="vat", name="VAT", parent=tax)
    other = Domain.objects.create(project=project, code="law", name="Law")
    make_question(pool, text="in tax", domain=tax)
    make_question(pool, text="in vat", domain=vat)
    make_question(pool, text="in law", domain=other)

    assert texts_of(listed(domain=tax.pk)) == ["in tax", "in vat"]
    assert texts_of(listed(domain=vat.pk)) == ["in vat"]


def test_the_filters_stay_in_the_address_of_the_next_page(listed, pool, make_question):
    for _number in range(51):
        make_question(pool, key="")

    response = listed(key="missing", order="longest", text="much", standing="")

    assert "?text=much" not in response.text  # the order of the address is kept
    assert "?key=missing&amp;order=longest&amp;text=much&amp;after=" in response.text


def test_htmx_gets_the_list_alone(client, owner, project):
    response = client.get(f"/projects/{project.slug}/questions/", headers={"HX-Request": "true"})

    assert "<html" not in response.text
    assert 'id="list"' in response.text


def test_a_page_of_the_longest_chinese_questions_is_small_and_asks_no_more_than_for_one(
    listed, project, make_pool, make_question, make_trace, make_teacher
):
    teacher = make_teacher(project)
    deep = make_pool(project, name="题库" * 40)
    for number in range(30):
        Domain.objects.create(project=project, code=str(number), name=f"第{number}章" + "领域" * 40)
    domain = project.domains.first()
    make_trace(make_question(deep), teacher)
    with CaptureQueriesContext(connection) as one:
        listed()
    for _number in range(60):
        question = make_question(
            deep,
            text="下列各项中，关于长期股权投资的说法正确的是哪一项？" * 100,
            key="正确答案" * 100,
            solution="解析" * 1000,
            language="zh",
            marks="12.50",
            domain=domain,
            tags=["很长的标签" * 8] * 5,
            flaws=["figure"],
            rating=3,
            standing="pinned",
            neutralised=True,
        )
        make_trace(question, teacher, thinking="想" * 5000)

    with CaptureQueriesContext(connection) as many:
        response = listed(order="longest")

    assert len(response.context["rows"]) == 50
    assert len(response.content) < 60_000
    assert len(many) == len(one) <= 17
    assert "解析解析" not in response.text
    assert "想想" not in response.text


def test_a_deep_taxonomy_is_listed_by_its_upper_levels(listed, project, pool, make_question):
    tops = [Domain.objects.create(project=project, code=str(number), name="top") for number in range(3)]
    leaves = [
        Domain.objects.create(project=project, code=f"{number}.{leaf}", name="leaf", parent=tops[number])
        for number in range(3)
        for leaf in range(50)
    ]
    make_question(pool, text="deep", domain=leaves[7])

    by_top, by_leaf = listed(domain=tops[0].pk), listed(domain=leaves[7].pk)

    assert (texts_of(by_top), texts_of(by_leaf)) == (["deep"], ["deep"])
    assert (by_top.text.count(">top</option>"), by_top.text.count("leaf</option>")) == (3, 0)
    assert by_leaf.text.count("leaf</option>") == 1


def test_a_page_with_fields_for_keys_is_small(listed, pool, make_question):
    for _number in range(60):
        make_question(
            pool, text="下列各项中，关于长期股权投资的说法正确的是哪一项？" * 100, key="", language="zh"
        )

    response = listed(key="missing")

    assert response.text.count("data-fill") == 50
    assert len(response.content) < 60_000


def test_an_empty_list_says_what_to_do(listed, pool, make_question):
    assert "Make a pool" in listed().text
    make_question(pool)
    assert "loosen a filter" in listed(text="nothing like it").text


def test_a_reviewer_sees_the_list_without_what_changes_it(client, project, pool, make_question, make_member):
    make_question(pool, key="")
    client.force_login(make_member(project, Role.REVIEWER))

    response = client.get(f"/projects/{project.slug}/questions/", {"key": "missing"})

    assert 'name="question"' not in response.text
    assert "data-fill" not in response.text


# --- many at once ---


def test_a_few_are_pinned_at_once_and_the_pin_is_undone(client, listed, act, project, pool, make_question):
    one, two, three = (make_question(pool) for _number in range(3))
    questions.set_standing(question=three, standing="pinned", by=None)

    act(action="pin", question=[one.pk, two.pk, three.pk], filters="key=there")
    undo = listed().context["undo"]
    again = listed().context["undo"]

    assert set(project.questions.values_list("standing", flat=True)) == {"pinned"}
    assert history(one) == [("standing", "open", "pinned")]
    assert (undo["count"], again) == (2, None)

    client.post(f"/projects/{project.slug}/questions/undo/", undo)

    standings = dict(project.questions.values_list("pk", "standing"))
    assert standings == {one.pk: "open", two.pk: "open", three.pk: "pinned"}
    assert history(one)[-1] == ("standing", "pinned", "open")


def test_all_that_match_are_confirmed_with_their_number(act, project, pool, make_question):
    for _number in range(60):
        make_question(pool, text="税务 question")
    other = make_question(pool, text="another")
    every = {"action": "ban", "all": "1", "filters": "text=税务&after=3"}

    asked = act(**every)

    assert "This is for 60 questions." in asked.text
    assert not project.questions.filter(standing="banned").exists()

    late = make_question(pool, text="税务 too")
    asked_again = act(**every, count=60, confirm="1")

    assert "has changed meanwhile" in asked_again.text

    act(**every, count=61, confirm="1")

    assert project.questions.filter(standing="banned").count() == 61
    other.refresh_from_db()
    late.refresh_from_db()
    assert (other.standing, late.standing) == ("open", "banned")


def test_tags_are_added_and_taken_away_each_once(act, pool, make_question):
    one, two = make_question(pool, tags=["a", "b"]), make_question(pool)
    sent = {"action": "tag", "question": [one.pk, two.pk]}

    asked = act(**sent)
    empty = act(**sent, count=2, confirm="1")
    act(**sent, count=2, confirm="1", add="c，税, a", remove="b")

    assert 'name="add"' in asked.text
    assert "Say what the questions are to be given" in empty.text
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.tags, two.tags) == (["a", "c", "税"], ["c", "税", "a"])
    assert [json.loads(text) for text in history(one)[0][1:]] == [["a", "b"], ["a", "c", "税"]]


def test_questions_are_moved_rated_and_put_into_a_domain(act, owner, project, make_pool, pool, make_question):
    question = make_question(pool)
    better = make_pool(project, name="better")
    domain = Domain.objects.create(project=project, code="1", name="Assets")
    sent = {"question": [question.pk], "count": 1, "confirm": "1"}

    act(action="move", pool=better.pk, **sent)
    act(action="rate", rating="4", **sent)
    act(action="domain", domain=domain.pk, **sent)

    question.refresh_from_db()
    assert (question.pool, question.rating) == (better, 4)
    assert (question.domain, question.domain_source) == (domain, "expert")
    assert [row[0] for row in history(question)] == ["pool", "rating", "domain"]
    assert set(question.edits.values_list("changed_by", flat=True)) == {owner.pk}


def test_questions_of_another_project_are_not_touched(act, make_question, make_pool, pool):
    stranger = make_question()

    act(action="ban", question=[stranger.pk])
    act(action="move", pool=stranger.pool.pk, question=[make_question(pool).pk], count=1, confirm="1")

    stranger.refresh_from_db()
    assert stranger.standing == "open"
    assert stranger.pool.questions.count() == 1
    with pytest.raises(Refusal, match="is of another project"):
        questions.move_questions(questions=Question.objects.all(), pool=pool, by=None)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"action": "explode", "question": ["1"]},
        {"action": "pin"},
        {"action": "pin", "question": ["x", "9" * 30]},
        {"action": "pin", "question": ["9" * 30]},
        {"action": "pin", "all": "1", "filters": "pool=999999"},
        {"action": "rate", "question": ["1"], "rating": "9", "confirm": "1", "count": "x"},
    ],
)
def test_an_order_that_cannot_be_changes_nothing(act, pool, make_question, sent):
    question = make_question(pool)

    response = act(**sent)

    assert response.status_code in (200, 302)
    question.refresh_from_db()
    assert (question.standing, history(question)) == ("open", [])


def test_an_undo_leaves_what_was_changed_since(make_user, project, pool, make_question):
    person = make_user()
    one, two = make_question(pool), make_question(pool)
    changed = questions.rate_questions(questions=project.questions.all(), rating=2, by=person)
    questions.rate_questions(questions=Question.objects.filter(pk=two.pk), rating=5, by=person)

    undone = questions.undo_change(project=project, field="rating", at=changed.at, by=person)

    one.refresh_from_db()
    two.refresh_from_db()
    assert (undone.count, one.rating, two.rating) == (1, None, 5)


def test_nobody_undoes_what_another_has_changed(client, listed, make_user, project, pool, make_question):
    question = make_question(pool)
    changed = questions.rate_questions(questions=project.questions.all(), rating=2, by=make_user())
    sent = {"field": "rating", "at": changed.at.isoformat()}

    answers = [
        client.post(f"/projects/{project.slug}/questions/undo/", {**sent, **other}, follow=True).text
        for other in ({}, {"at": "yesterday"}, {"field": "text"})
    ]

    question.refresh_from_db()
    assert question.rating == 2
    assert all("There is nothing to undo" in text for text in answers)


def test_a_move_out_of_a_pool_that_is_gone_is_not_undone(make_user, project, make_pool, pool, make_question):
    person, question = make_user(), make_question(pool)
    changed = questions.move_questions(
        questions=Question.objects.filter(pk=question.pk), pool=make_pool(project), by=person
    )
    name = pool.name
    pool.delete()

    with pytest.raises(Refusal, match=f"no pool named {name} any more"):
        questions.undo_change(project=project, field="pool", at=changed.at, by=person)


# --- keys in place ---


def test_a_new_key_marks_all_traces_and_attempts_anew(make_question, make_trace):
    question = make_question(key="")
    right = make_trace(question, answer="Final Answer: 12", verdict="unkeyed")
    wrong = make_trace(question, answer="Final Answer: 13", verdict="unkeyed")
    solver = Solver.objects.create(project=question.project, name="weak")
    attempt = Attempt.objects.create(question=question, solver=solver, answer="Final Answer: 12")

    questions.set_key(question=question, key=" 12 ", by=None)

    for row in (question, right, wrong, attempt):
        row.refresh_from_db()
    assert (question.key, right.verdict, wrong.verdict, attempt.verdict) == ("12", "right", "wrong", "right")
    assert history(question) == [("key", "", "12")]


def test_a_key_taken_away_leaves_answers_unmarked(make_trace):
    trace = make_trace()

    questions.set_key(question=trace.question, key="", by=None)

    trace.refresh_from_db()
    assert trace.verdict == "unkeyed"


@pytest.mark.parametrize(("key", "kept"), [("b", "B"), ("C、A", "AC"), ("A. yes", "A"), ("yes", "yes")])
def test_a_key_is_read_against_the_options(make_question, key, kept):
    question = make_question(key="", options=["yes", "no", "maybe"])

    questions.set_key(question=question, key=key, by=None)

    question.refresh_from_db()
    assert question.key == kept


def test_a_key_that_names_no_option_is_refused_where_it_was_typed(client, owner, pool, make_question):
    question = make_question(pool, key="", options=["yes", "no"])
    url = f"/questions/{question.pk}/key/"

    in_list = client.post(url, {f"{question.pk}-key": "D"}, headers={"HX-Request": "true"})
    on_page = client.post(url, {"key": "D"})

    assert "the options end at B" in in_list.text
    assert "data-fill" in in_list.text
    assert "<html" not in in_list.text
    assert "the options end at B" in on_page.text
    question.refresh_from_db()
    assert question.key == ""


def test_one_key_is_filled_in_place_and_all_of_a_page_without_script(
    client, listed, project, pool, make_question
):
    one, two, three = (make_question(pool, key="") for _number in range(3))

    saved = client.post(
        f"/questions/{one.pk}/key/",
        {f"{one.pk}-key": "42", f"{two.pk}-key": "x"},
        headers={"HX-Request": "true"},
    )
    sent = {f"{two.pk}-key": " 7 ", f"{three.pk}-key": "", "filters": "key=missing", "x-key": "1"}
    response = client.post(f"/projects/{project.slug}/questions/keys/", sent)

    assert "42" in saved.text
    assert "data-fill" not in saved.text
    assert response.url == f"/projects/{project.slug}/questions/?key=missing"
    assert sorted(project.questions.values_list("key", flat=True)) == ["", "42", "7"]


def test_keys_of_a_page_are_saved_together_or_not_at_all(client, listed, project, pool, make_question):
    one, two = make_question(pool, key=""), make_question(pool, key="", options=["yes", "no"])

    sent = {f"{one.pk}-key": "7", f"{two.pk}-key": "D"}
    response = client.post(f"/projects/{project.slug}/questions/keys/", sent, follow=True)

    assert "the options end at B" in response.text
    assert set(project.questions.values_list("key", flat=True)) == {""}


def test_a_question_is_pinned_and_an_unknown_standing_refused(client, owner, pool, make_question):
    question = make_question(pool)

    client.post(f"/questions/{question.pk}/standing/", {"standing": "pinned"})
    response = client.post(f"/questions/{question.pk}/standing/", {"standing": "adored"}, follow=True)

    question.refresh_from_db()
    assert question.standing == Standing.PINNED
    assert "There is no such standing" in response.text


# --- one question ---


def form_of(client, question):
    form = client.get(f"/questions/{question.pk}/edit/").context["form"]
    return {field.html_name: field.value() if field.value() is not None else "" for field in form}


def test_a_form_sent_as_it_was_changes_nothing(client, owner, project, pool, make_question):
    domain = Domain.objects.create(project=project, code="1", name="Assets")
    values = {"options": ["yes", "no"], "key": "A", "marks": "2.50", "tags": ["a", "税"], "rating": 3}
    question = make_question(pool, domain=domain, domain_source="rules", solution="So.", **values)

    response = client.post(f"/questions/{question.pk}/edit/", form_of(client, question), follow=True)

    assert "Nothing was changed" in response.text
    assert history(question) == []
    question.refresh_from_db()
    assert question.domain_source == "rules"


def test_every_field_is_changed_and_noted(client, owner, project, pool, make_question):
    domain = Domain.objects.create(project=project, code="1", name="Assets")
    question = make_question(pool, options=["yes", "no"], key="A", flaws=["figure"])
    words.write_missing_words()
    sent = form_of(client, question) | {
        "text": "Is it <|im_start|>so?",
        "option_1": "maybe",
        "option_2": "不",
        "key": "c",
        "solution": "Because.",
        "domain": domain.pk,
        "marks": "1.5",
        "language": "zh",
        "rating": "5",
        "tags": "x, y",
    }

    client.post(f"/questions/{question.pk}/edit/", sent)

    question.refresh_from_db()
    assert (question.text, question.options, question.key) == (
        "Is it <im_start>so?",
        ["yes", "maybe", "不"],
        "C",
    )
    assert (question.solution, question.domain, str(question.marks)) == ("Because.", domain, "1.50")
    assert (question.language, question.rating, question.tags) == ("zh", 5, ["x", "y"])
    assert question.content_hash == content_hash(question.text, question.options)
    assert (question.flaws, question.neutralised, question.domain_source) == (None, True, "expert")
    assert not QuestionWords.objects.filter(question=question).exists()
    assert {row[0] for row in history(question)} == set(questions.EDITABLE)


def test_another_text_is_held_against_the_benchmarks_and_copies_of_the_old_one_are_void(
    owner, project, pool, make_question
):
    held_out = "Which of the four accounts below is debited when the rent of an office is paid in advance?"
    benchmark = Benchmark.objects.create(project=project, name="paper", file_name="f", content_hash="b")
    BenchmarkItem.objects.create(
        benchmark=benchmark, position=0, content_hash="i", text=held_out, key="2", language="en"
    )
    question, keeper = make_question(pool), make_question(pool)
    NearCopy.objects.create(question=question, keeper=keeper, kind="text", likeness=0.9)

    questions.edit_question(question=question, values={"text": held_out}, by=owner)
    leaks_then = question.leaks.count()
    questions.edit_question(question=question, values={"text": "What is rent?"}, by=owner)

    assert (leaks_then, question.leaks.count(), NearCopy.objects.count()) == (1, 0, 0)


def test_other_options_mark_the_traces_anew(client, owner, pool, make_question, make_trace):
    question = make_question(pool, options=["1", "2"], key="A")
    trace = make_trace(question, answer="Final Answer: 5", verdict="wrong")

    questions.edit_question(question=question, values={"options": ["5", "2"]}, by=owner)

    trace.refresh_from_db()
    assert trace.verdict == "right"


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"text": "  "}, "This field is required"),
        ({"option_0": ""}, "Write this option, or move the others up"),
        ({"key": "D"}, "the options end at B"),
        ({"marks": "-1"}, "greater than or equal to 0"),
        ({"rating": "9"}, "not one of the available choices"),
        ({"tags": "x" * 60}, "one is too long"),
        ({"domain": "999999"}, "not one of the available choices"),
        ({"text": "Taken already?", "option_0": "", "option_1": "", "key": ""}, "says the same"),
        ({"seen": "of another day"}, "Someone changed this question while you did"),
    ],
)
def test_a_change_that_cannot_be_is_refused_in_words(client, owner, pool, make_question, sent, sentence):
    Question.objects.create(
        project=pool.project,
        pool=pool,
        text="Taken already?",
        content_hash=content_hash("Taken already?"),
        language="en",
    )
    question = make_question(pool, options=["yes", "no"], key="A", text="As it was")

    response = client.post(f"/questions/{question.pk}/edit/", form_of(client, question) | sent)

    assert response.status_code == 200
    assert sentence in response.text
    question.refresh_from_db()
    assert (question.text, question.options, question.key) == ("As it was", ["yes", "no"], "A")
    assert history(question) == []


def test_two_who_change_the_same_question_do_not_overwrite_each_other(client, owner, pool, make_question):
    question = make_question(pool, key="A", options=["yes", "no"])
    first, second = form_of(client, question), form_of(client, question)

    client.post(f"/questions/{question.pk}/edit/", first | {"key": "B"})
    response = client.post(f"/questions/{question.pk}/edit/", second | {"solution": "Mine."})

    assert "Someone changed this question" in response.text
    assert "Mine." in response.text
    question.refresh_from_db()
    assert (question.key, question.solution) == ("B", "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "Another text 税?"),
        ("options", ["one", "two", 'quoted "three"\n']),
        ("key", "B"),
        ("solution", "因为。"),
        ("marks", 3),
        ("rating", 4),
        ("tags", ["税", "x"]),
        ("language", "zh"),
    ],
)
def test_a_change_is_shown_and_taken_back(client, owner, pool, make_question, field, value):
    question = make_question(pool, options=["yes", "no"], key="A")
    before = queries.noted(question, field)
    questions.edit_question(question=question, values={field: value}, by=owner)

    page = client.get(question.get_absolute_url())
    client.post(f"/edits/{question.edits.get(field=field).pk}/revert/")

    assert "Take it back" in page.text
    assert owner.email in page.text
    question.refresh_from_db()
    assert queries.noted(question, field) == before
    assert question.content_hash == content_hash(question.text, question.options) or field not in (
        "text",
        "options",
    )


def test_a_domain_a_pool_and_a_standing_are_taken_back(client, act, project, make_pool, pool, make_question):
    domain = Domain.objects.create(project=project, code="1", name="Assets")
    other = Domain.objects.create(project=project, code="2", name="Audit")
    question = make_question(pool, domain=domain, domain_source="file")
    sent = {"question": [question.pk], "count": 1, "confirm": "1"}
    act(action="move", pool=make_pool(project).pk, **sent)
    act(action="domain", domain=other.pk, **sent)
    act(action="ban", **sent)

    for edit in question.edits.all():
        client.post(f"/edits/{edit.pk}/revert/")

    question.refresh_from_db()
    assert (question.pool, question.domain, question.standing) == (pool, domain, "open")


def test_a_change_that_was_changed_again_is_not_taken_back(owner, pool, make_question):
    question = make_question(pool, key="1")
    questions.set_key(question=question, key="2", by=owner)
    questions.set_key(question=question, key="3", by=owner)
    first = question.edits.order_by("pk").first()

    with pytest.raises(Refusal, match="changed again since"):
        questions.revert_edit(edit=first, by=owner)

    question.refresh_from_db()
    assert [change.is_current for change in queries.get_changes(question)] == [True, False]


def test_the_history_marks_the_words_that_differ(client, owner, pool, make_question):
    question = make_question(pool, text="净利润是多少？", language="zh")
    questions.edit_question(question=question, values={"text": "净亏损是多少？"}, by=owner)

    response = client.get(question.get_absolute_url())

    assert "净<del>利润</del><ins>亏损</ins>是多少？" in response.text


def test_hostile_history_is_shown_as_text(client, owner, pool, make_question):
    question = make_question(pool)
    questions.edit_question(question=question, values={"text": "<script>alert(1)</script>"}, by=owner)

    assert "<script>alert" not in client.get(question.get_absolute_url()).text
    assert "<script>alert" not in client.get(f"/questions/{question.pk}/edit/").text
