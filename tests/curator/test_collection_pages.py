"""What people see of orders: pause and go on, progress and money, the price of both orders, terms, sharing."""

import re
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from common.access import Role
from common.jobs import JobState
from common.models import Project
from curator.core.presets import PRESETS
from curator.models import Attempt, Classification, Collection, Probe, Solver, Trial
from curator.services import collecting
from curator.services.ordering import compare_orders
from tests.stand_in import completion, failure, standing_in

ADDRESS = "http://127.0.0.1:9/v1"
PRICED = {"base_url": ADDRESS, "model": "r1", "price_out_usd": Decimal(10), "max_tokens": 1000}


@pytest.fixture
def teacher(make_project, make_teacher):
    """Return a teacher whose answer is thought to cost 0.01 USD, as no trace says otherwise."""
    return make_teacher(make_project(money_limit_usd=Decimal(100)), name="Ada", **PRICED)


@pytest.fixture
def page(client, teacher):
    """Return what reads a page as the project's owner."""
    client.force_login(teacher.project.membership_set.get().user)

    def read(row, **given):
        response = client.get(row.get_absolute_url(), given)
        assert response.status_code == 200
        return " ".join(response.text.split())

    return read


@pytest.fixture
def make_solver(teacher):
    """Return what makes solvers, each try of which costs 0.001 USD at most."""

    def make(**fields):
        given = {"name": "weak", "base_url": ADDRESS, "price_out_usd": Decimal(1), "max_tokens": 1000}
        return Solver.objects.create(project=teacher.project, **{**given, **fields})

    return make


@pytest.fixture
def ask(make_pool, make_question, teacher):
    """Return what makes questions for the teacher; each word is a solver's verdict, or what else it is."""
    pool = make_pool(teacher.project)

    def make(*words, solver=None):
        for word in words:
            question = make_question(pool, key="" if word == "keyless" else "1")
            if solver and word not in ("untried", "keyless"):
                Attempt.objects.create(question=question, solver=solver, verdict=word, thinking_tokens=1000)

    return make


def make_order(teacher, **fields):
    """Make an order that runs, half done."""
    now = timezone.now()
    given = {"state": JobState.RUNNING, "started_at": now, "heartbeat_at": now, "phase": "asking"}
    given |= {"progress_done": 50, "progress_total": 100, "asked": 50, "stored": 50}
    return Collection.objects.create(project=teacher.project, teacher=teacher, **{**given, **fields})


def paused(teacher, failure=""):
    return make_order(teacher, state=JobState.PAUSED, failure=failure)


# Pause and go on.


@pytest.mark.parametrize("kind", ["collection", "probe"])
def test_an_order_is_paused_and_goes_on_from_its_page(
    client, teacher, make_solver, django_capture_on_commit_callbacks, monkeypatch, kind
):
    sent = []
    monkeypatch.setattr(f"curator.tasks.run_{kind}.delay", lambda **given: sent.append(given))
    client.force_login(teacher.project.membership_set.get().user)
    job = (
        Collection.objects.create(project=teacher.project, teacher=teacher)
        if kind == "collection"
        else Probe.objects.create(project=teacher.project, solver=make_solver())
    )

    client.post(reverse(f"{kind}_pause", args=[job.pk]))
    job.refresh_from_db()
    assert job.state == JobState.PAUSED

    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse(f"{kind}_retry", args=[job.pk]))
    job.refresh_from_db()
    assert (job.state, sent) == (JobState.QUEUED, [{"job_id": job.pk}])


def test_a_running_order_is_asked_to_rest_and_says_so(client, teacher, page):
    job = make_order(teacher)
    assert f"/collections/{job.pk}/pause/" in page(job)

    client.post(reverse("collection_pause", args=[job.pk]))

    job.refresh_from_db()
    assert (job.state, job.pause_requested) == (JobState.RUNNING, True)
    assert "about to rest" in page(job)
    assert f"/collections/{job.pk}/pause/" not in page(job)


def test_what_has_ended_cannot_rest(client, teacher, page):
    job = make_order(teacher, state=JobState.SUCCEEDED, finished_at=timezone.now())

    response = client.post(reverse("collection_pause", args=[job.pk]), follow=True)

    assert "Only work that waits or runs can rest." in response.text


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("Ada refused the key; enter another.", "Ada refused the key; enter another."),
        ("", "A person lets it rest."),
    ],
)
def test_an_order_at_rest_says_why_and_offers_to_go_on_or_to_end(teacher, page, failure, said):
    job = paused(teacher, failure)

    text = page(job)

    assert said in text
    assert "rests since" in text
    assert all(f"/collections/{job.pk}/{way}/" in text for way in ("retry", "cancel"))
    assert "hx-trigger" not in text.split('id="progress"')[1].split(">")[0]


def test_a_curator_sees_a_resting_order_and_cannot_let_it_go_on(client, teacher, make_member):
    job = paused(teacher, "Ada refused the key.")
    client.force_login(make_member(teacher.project, Role.CURATOR))

    text = client.get(job.get_absolute_url()).text

    assert "Ada refused the key." in text
    assert "/retry/" not in text


def test_one_question_has_nothing_to_rest_from(teacher, page):
    job = Trial.objects.create(project=teacher.project, teacher=teacher, name="Ada", question="Why?")

    assert "/pause/" not in page(job)


def test_the_command_ends_with_the_sentence_of_an_endpoint_that_turned_it_away(teacher, ask):
    ask("untried", "untried")
    with standing_in(lambda *_: failure(401, "no such key")) as server:
        teacher.base_url = server.url
        teacher.save()
        with pytest.raises(CommandError, match=r"rests: .*no such key.* Run this again to go on"):
            call_command("collect_traces", teacher.project.slug, "--teacher", "Ada")
        assert Collection.objects.get().state == JobState.PAUSED

        server.reply_to = lambda *_: completion("Final Answer: 1")
        call_command("collect_traces", teacher.project.slug, "--teacher", "Ada", "--json")

    assert teacher.traces.count() == 2


def test_the_command_asks_only_what_solvers_miss_where_it_is_told_to(teacher, ask, make_solver):
    ask("wrong", "right", "untried", solver=make_solver())
    with standing_in(lambda *_: completion("Final Answer: 1")) as server:
        teacher.base_url = server.url
        teacher.save()
        call_command("collect_traces", teacher.project.slug, "--teacher", "Ada", "--most-pass-rate", "0")

    assert len(server.asked) == 1
    assert teacher.traces.get().question.attempts.get().verdict == "wrong"


# Progress and money.


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cost_usd": 5}, "about $5.00 to come"),
        ({"cost_usd": 5, "asked": 50, "remembered": 40}, "about $25.00 to come"),
        # Taken up again: 150 were paid for in all, 50 of them since, and 50 are left.
        ({"cost_usd": 15, "asked": 150, "stored": 150}, "about $5.00 to come"),
        ({"cost_usd": 0, "reserved_usd": 2, "asked": 0, "stored": 0, "progress_done": 0}, "$2.00 set aside"),
        (
            {"cost_usd": 0, "reserved_usd": 2, "asked": 0, "progress_done": 0},
            "known once an answer is paid for",
        ),
        ({"cost_usd": 5, "max_cost_usd": 9}, "$5.00 of at most $9.00"),
        ({"cost_usd": 5, "max_cost_usd": 10}, "about $5.00 to come"),
        (
            {"cost_usd": 5, "max_cost_usd": 7},
            "at most $2.00 to come, as the limit says; all that is left would take about $5.00",
        ),
        ({"cost_usd": 5, "max_cost_usd": 4}, "at most $0.00 to come, as the limit says"),
        ({"remembered": 3}, "3 were answered before and cost nothing."),
        ({"remembered": 1}, "1 was answered before and cost nothing."),
        ({}, "50 of 100"),
        ({}, "asking"),
        ({"most_pass_rate": 0.0}, "tried and always missed"),
        ({"most_pass_rate": 0.5, "question_limit": 7}, "in at most 50% of their tries"),
        ({"cut_again": True}, "It asks again what was cut off at a lower limit of tokens."),
        ({"question_limit": 7}, "At most 7 questions."),
    ],
)
def test_an_order_says_what_it_cost_and_what_is_to_come(teacher, page, fields, said):
    assert said in page(make_order(teacher, **fields))


def test_an_order_that_paid_nothing_promises_no_sum(teacher, page):
    text = page(make_order(teacher, asked=50, remembered=50))

    assert "to come" not in text


def test_the_live_part_alone_has_the_money_too(client, teacher, page):
    job = make_order(teacher, cost_usd=5)

    response = client.get(job.get_absolute_url(), headers={"HX-Request": "true"})

    assert "about $5.00 to come" in " ".join(response.text.split())
    assert "<html" not in response.text
    assert 'hx-trigger="every 2s"' in response.text


# Limits.


def confirmed(client, teacher, **given):
    """Return the page that shows what an order takes."""
    return client.get(teacher.get_absolute_url(), {"max_cost_usd": "5", **given})


def leave(teacher, left, spent="0.23"):
    """Let so much of the project's money be left."""
    teacher.project.money_limit_usd = Decimal(spent) + Decimal(left)
    teacher.project.save()
    make_order(teacher, state=JobState.CANCELLED, finished_at=timezone.now(), cost_usd=Decimal(spent))


def test_an_order_is_never_said_to_spend_more_than_all_limits_leave(client, teacher, page, ask):
    ask(*["untried"] * 10)
    leave(teacher, "0.04")

    text = " ".join(confirmed(client, teacher).text.split())

    assert "<dt>Never more than</dt><dd><strong>$0.04</strong>" in text
    assert "$0.04 will do for about 4 of 10;" in text
    assert "Start the order" in text


def test_an_order_that_fits_its_limits_warns_of_nothing(client, teacher, page, ask):
    ask(*["untried"] * 10)

    text = " ".join(confirmed(client, teacher, max_cost_usd="0.10").text.split())

    assert "<strong>$0.10</strong>" in text
    assert "will do for about" not in text


@pytest.mark.parametrize("way", ["get", "post"])
def test_an_order_without_money_for_one_answer_is_not_offered_and_not_begun(client, teacher, page, ask, way):
    ask(*["untried"] * 10)
    leave(teacher, "0.005", spent="0.235")

    response = getattr(client, way)(teacher.get_absolute_url(), {"max_cost_usd": "5"})

    text = " ".join(response.text.split())
    assert "money limit of 0.24 USD does not allow another answer" in text
    assert text.count("its owner can raise it in the settings") == 1
    assert "Start the order" not in text
    assert Collection.objects.count() == 1


@pytest.fixture
def resting(teacher):
    """Return an order that rests at its limit, and where it is let go on."""
    order = make_order(
        teacher, state=JobState.PAUSED, failure="Its limit.", max_cost_usd=1, cost_usd=Decimal("0.99")
    )
    return order, reverse("collection_retry", args=[order.pk])


def test_an_order_at_its_limit_goes_on_with_a_higher_one(client, page, resting, monkeypatch):
    monkeypatch.setattr("curator.tasks.run_collection.delay_on_commit", lambda **_given: None)
    order, retry = resting
    assert 'name="max_cost_usd" min="0" step="0.01" required value="1.00"' in page(order)

    client.post(retry, {"max_cost_usd": "2.50"})

    order.refresh_from_db()
    assert (order.state, order.max_cost_usd) == (JobState.QUEUED, Decimal("2.50"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("0.99", "The order has cost 0.9900 USD already; give it a limit above that."),
        ("much", "At most (USD): Enter a number."),
        ("", "At most (USD): This field is required."),
        ("-1", "At most (USD): Ensure this value is greater than or equal to 0."),
    ],
)
def test_a_limit_that_is_none_lets_an_order_rest_and_says_why(client, page, resting, given, said):
    order, retry = resting

    response = client.post(retry, {"max_cost_usd": given}, follow=True)

    order.refresh_from_db()
    assert said in response.text
    assert (order.state, order.max_cost_usd) == (JobState.PAUSED, 1)


def test_who_may_sort_but_not_spend_raises_no_limit(client, teacher, make_member):
    client.force_login(make_member(teacher.project, Role.CURATOR))
    order = Classification.objects.create(
        project=teacher.project, way="assistant", state=JobState.PAUSED, max_cost_usd=1
    )

    page = client.get(order.get_absolute_url()).text
    response = client.post(reverse("classification_retry", args=[order.pk]), {"max_cost_usd": "9"})

    order.refresh_from_db()
    assert "Go on" in page
    assert 'name="max_cost_usd"' not in page
    assert response.status_code in {403, 404}
    assert (order.state, order.max_cost_usd) == (JobState.PAUSED, 1)


def test_an_order_without_a_limit_of_its_own_offers_no_field_for_it(teacher, page):
    assert 'name="max_cost_usd"' not in page(paused(teacher, "Ada refused the key."))


# The price of both orders.


def test_the_comparison_comes_after_the_page_or_by_a_link(client, teacher, page, ask):
    ask("untried")

    plain = page(teacher)
    part = client.get(teacher.get_absolute_url(), {"compare": "1"}, headers={"HX-Request": "true"})

    assert f'hx-get="{teacher.get_absolute_url()}?compare=1" hx-trigger="load"' in plain
    assert '<a href="?compare=1">' in plain
    assert "All that it has not answered" not in plain
    assert "All that it has not answered" in part.text
    assert "<html" not in part.text
    assert "HX-Request" in part.headers["Vary"]


def test_who_may_not_order_is_shown_no_comparison(client, teacher, page, ask, make_member):
    ask("untried")
    client.force_login(make_member(teacher.project, Role.CURATOR))

    for headers in ({}, {"HX-Request": "true"}):
        response = client.get(teacher.get_absolute_url(), {"compare": "1"}, headers=headers)

        assert "All that it has not answered" not in response.text


def test_the_price_of_both_orders_stands_side_by_side(teacher, page, ask, make_solver):
    ask(*["wrong"] * 2, *["right"] * 6, *["untried"] * 40, "keyless", solver=make_solver())

    compared = compare_orders(teacher=teacher, everything=collecting.estimate_collection(teacher=teacher))
    text = page(teacher, compare=1)

    assert (compared.everything.questions, compared.filtered.questions) == (49, 2)
    assert (compared.tried, compared.missed, compared.share_missed) == (8, 2, 0.25)
    assert (compared.untried, compared.without_key) == (40, 1)
    assert compared.probe.questions == 40
    assert compared.expected_questions == 12  # the 2 missed, and a quarter of the 40
    assert compared.expected_usd == Decimal("0.16")  # 12 traces at 0.01, and 40 tries at 0.001
    for said in ("$0.49", "$0.02", "about $0.16", "if as many are missed as so far: 2 of 8", "1 has no key"):
        assert said in text
    assert "40 of these questions were not tried by any solver" in text
    assert "would cost about $0.04" in text


def test_what_the_filter_saves_is_not_guessed_before_anything_was_tried(teacher, page, ask, make_solver):
    ask("untried", "untried", solver=make_solver())

    compared = compare_orders(teacher=teacher, everything=collecting.estimate_collection(teacher=teacher))

    assert (compared.expected_questions, compared.expected_usd) == (None, None)
    assert "what the filter would save is not known before it was" in page(teacher, compare=1)


def test_the_cheapest_solver_that_can_be_asked_is_named(teacher, page, ask, make_solver):
    make_solver(name="free of charge", base_url="", price_out_usd=0)
    make_solver(name="dear", price_out_usd=9)
    cheap = make_solver(name="cheap")
    ask("untried")

    compared = compare_orders(teacher=teacher, everything=collecting.estimate_collection(teacher=teacher))

    assert compared.solver == cheap
    assert ">cheap</a>" in page(teacher, compare=1)


def test_without_a_solver_the_page_says_how_to_get_one(teacher, page, ask):
    ask("untried")

    assert reverse("solver_new", args=[teacher.project.slug]) in page(teacher, compare=1)


def test_a_try_that_no_key_could_mark_says_nothing_of_a_question(teacher, ask, make_solver):
    ask("unkeyed", solver=make_solver())

    compared = compare_orders(teacher=teacher, everything=collecting.estimate_collection(teacher=teacher))

    assert (compared.tried, compared.filtered.questions, compared.untried) == (0, 0, 1)


@pytest.mark.parametrize(("count", "tokens"), [(20, 900), (19, 500)])
def test_an_estimate_of_missed_questions_takes_the_traces_of_such_where_they_suffice(
    teacher, ask, make_solver, make_trace, count, tokens
):
    ask(*["wrong"] * count, *["right"] * count, solver=make_solver())
    for attempt in Attempt.objects.all():
        length = 900 if attempt.verdict == "wrong" else 100
        make_trace(attempt.question, teacher, thinking_tokens=length)
    ask("wrong", solver=Solver.objects.get())

    estimate = collecting.estimate_collection(teacher=teacher, most_pass_rate=0)

    assert estimate.questions == 1
    assert estimate.usd == Decimal(tokens) * 10 / 1_000_000
    assert ("of such questions" in estimate.basis) is (count == 20)


def test_the_estimate_names_its_sample_and_the_prices(teacher, page, ask, make_trace, make_question):
    make_trace(make_question(), teacher)
    ask("untried")

    text = page(teacher, compare=1)

    assert "Mean of this teacher's last 1 traces." in text.replace("&#x27;", "'")
    assert "At 0 USD per million tokens in and 10 out." in text


def test_what_is_confirmed_is_what_is_ordered(client, teacher, page, ask, make_solver):
    ask("wrong", "right", "untried", solver=make_solver())
    chosen = {"most_pass_rate": "0.0", "max_cost_usd": "2"}

    shown = page(teacher, **chosen)
    assert "It asks what solvers have tried and always missed" in shown
    assert '<input type="hidden" name="most_pass_rate" value="0.0"' in shown
    assert "about $0.01" in shown
    assert not Collection.objects.exists()

    client.post(teacher.get_absolute_url(), chosen)
    order = Collection.objects.get()
    assert (order.most_pass_rate, order.max_cost_usd) == (0, 2)


# Terms, sharing, limits.

FORBIDS = "Its provider forbids training a competing model on its output."


def test_terms_stand_before_the_start_and_a_ban_is_said_clearly(teacher, page, ask):
    ask("untried")
    forbidding = next(preset for preset in PRESETS if preset.permits_training is False)
    teacher.preset, teacher.terms = forbidding.key, forbidding.terms_note
    teacher.save()

    shown = page(teacher, max_cost_usd="2")

    assert shown.count(FORBIDS) == 1
    assert escape(forbidding.terms) in shown
    assert shown.index(FORBIDS) < shown.index("Start the order")
    assert "may break those terms" in shown


def test_terms_that_are_not_noted_are_asked_for_and_no_ban_is_claimed(teacher, page, ask):
    ask("untried")

    shown = page(teacher, max_cost_usd="2")

    assert "Nothing is noted of what its provider" in shown
    assert FORBIDS not in shown


def test_a_teacher_shows_how_much_of_its_limit_is_spent_or_set_aside(teacher, page):
    teacher.money_limit_usd = 20
    teacher.save()
    make_order(teacher, cost_usd=5, reserved_usd=2)

    assert "$7.00 of at most $20.00" in page(teacher)


def test_an_owner_alone_lets_answers_be_reused(client, teacher, make_member):
    address = reverse("project_settings", args=[teacher.project.slug])
    form = {"name": "Field", "description": "", "money_limit_usd": "9", "shares_answers": "on"}

    client.force_login(make_member(teacher.project, Role.CURATOR))
    refused = client.post(address, form)
    assert refused.status_code == 403
    assert not Project.objects.get().shares_answers

    client.force_login(teacher.project.membership_set.get(role=Role.OWNER).user)
    assert "Answers may be reused" in client.get(address).text
    client.post(address, form)
    assert Project.objects.get().shares_answers
    client.post(address, {**form, "shares_answers": ""})
    assert not Project.objects.get().shares_answers


@pytest.mark.parametrize("wanted", [True, False])
def test_what_was_cut_off_is_asked_again_only_where_that_is_chosen(client, teacher, page, ask, wanted):
    ask("untried")
    chosen = {"max_cost_usd": "2"} | ({"cut_again": "on"} if wanted else {})

    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page(teacher, **chosen)))
    client.post(teacher.get_absolute_url(), hidden)

    assert hidden["cut_again"] == str(wanted)
    assert Collection.objects.get().cut_again is wanted
