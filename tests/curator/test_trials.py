"""One question to a model, over real HTTP: what came back is shown as it came, and paid for once."""

from decimal import Decimal

import pytest

from common.core.refusal import Refusal
from common.endpoints import EndpointFailed
from common.jobs import AlreadyClaimed, JobState
from common.queries import get_spent_usd
from curator.models import Assistant, Solver, Teacher, Trace, Trial
from curator.services import endpoints, trials
from tests.stand_in import completion, dead_url, failure, standing_in

PRICED = {"price_in_usd": Decimal(1), "price_out_usd": Decimal(1000), "max_tokens": 100}  # 0.11 USD at most


@pytest.fixture
def server():
    def reply_to(_question, _before):
        return completion("So <b>42</b>.", thinking="I <script>think</script>.", tokens_in=10, tokens_out=50)

    with standing_in(reply_to) as server:
        yield server


@pytest.fixture
def ask(make_project, server):
    """Return what makes a model of a kind behind the stand-in server."""

    def make(kind=Teacher, project=None, **fields):
        given = {"name": "Ada", "base_url": server.url, "model": "r1", **PRICED}
        return endpoints.create_endpoint(kind=kind, project=project or make_project(), **{**given, **fields})

    return make


def tried(endpoint, question="What is 6 × 7?", **fields):
    """Ask and wait."""
    given = {"agreed_usd": Decimal("0.11"), "by": None}
    job = trials.start_trial(endpoint=endpoint, question=question, **{**given, **fields})
    try:
        trials.run_trial(job=job)
    finally:
        job.refresh_from_db()
    return job


@pytest.mark.parametrize("kind", [Teacher, Solver, Assistant])
def test_a_trial_keeps_what_came_back_as_it_came_and_as_it_was_read(ask, server, kind):
    job = tried(ask(kind))

    assert (job.state, job.asked, job.stored, job.failed) == (JobState.SUCCEEDED, 1, 1, 0)
    assert (job.thinking, job.answer) == ("I <script>think</script>.", "So <b>42</b>.")
    assert (job.tokens_in, job.thinking_tokens + job.answer_tokens) == (10, 50)
    assert (job.tokens_counted_by, job.finish_reason) == ("usage", "stop")
    assert '"reasoning_content"' in job.raw
    assert server.asked == ["What is 6 × 7?"]


def test_what_it_cost_counts_as_spent_and_nothing_stays_reserved(ask):
    job = tried(ask())

    assert job.cost_usd == Decimal("0.05001")
    assert get_spent_usd(job.project) == Decimal("0.05001")
    assert job.reserved_usd == 0


def test_a_trial_is_no_trace(ask):
    tried(ask())

    assert not Trace.objects.exists()


def test_an_endpoint_that_fails_is_shown_in_a_sentence_with_what_it_sent(ask, server):
    server.reply_to = lambda *_: failure(401, "No such key: sk-very-secret")
    teacher = ask(key="sk-very-secret")

    with pytest.raises(EndpointFailed):
        tried(teacher)

    job = Trial.objects.get()
    assert (job.state, job.asked, job.failed, job.cost_usd) == (JobState.FAILED, 1, 1, 0)
    assert "Ada at http" in job.failure
    assert "No such key: …" in job.raw
    assert "very-secret" not in job.failure + job.raw


def test_a_place_where_nobody_listens_is_a_sentence_too(ask):
    with pytest.raises(EndpointFailed):
        tried(ask(base_url=dead_url()))

    job = Trial.objects.get()
    assert (job.state, job.raw, job.reserved_usd) == (JobState.FAILED, "", 0)


def test_a_key_that_an_endpoint_sends_back_is_not_kept(ask, server):
    server.reply_to = lambda *_: completion("You are sk-very-secret.", thinking="sk-very-secret?")

    job = tried(ask(key="sk-very-secret"))

    assert (job.answer, job.thinking) == ("You are ….", "…?")
    assert "very-secret" not in job.raw


def test_what_is_no_text_is_kept_as_text(ask, server):
    server.reply_to = lambda *_: (200, b'{"choices": [\x00\xff]}')

    with pytest.raises(EndpointFailed):
        tried(ask())

    assert "choices" in Trial.objects.get().raw


@pytest.mark.parametrize(
    ("endpoint_fields", "trial_fields", "why"),
    [
        ({}, {"question": " "}, "Enter a question"),
        ({}, {"question": "x" * 20_001}, "at most 20000 characters; this one has 20001"),
        ({}, {"agreed_usd": Decimal("0.10")}, "can cost up to 0.11 USD, more than the 0.10 USD shown"),
        ({"base_url": ""}, {}, "Ada has no address"),
    ],
)
def test_a_trial_that_cannot_be_is_refused_before_it_costs(ask, server, endpoint_fields, trial_fields, why):
    with pytest.raises(Refusal, match=why):
        tried(ask(**endpoint_fields), **trial_fields)

    assert server.asked == []
    assert not Trial.objects.exists()


def test_a_project_without_money_tries_nothing(ask, make_project, server):
    project = make_project()
    project.money_limit_usd = Decimal("0.05")
    project.save()

    with pytest.raises(Refusal, match=r"up to 0\.11 USD, and 0\.05 USD of the project's money is left"):
        tried(ask(project=project))

    assert server.asked == []


def test_the_money_limit_of_the_model_itself_holds_for_trials_too(ask, server):
    teacher = ask(money_limit_usd=Decimal("0.15"))
    tried(teacher)

    with pytest.raises(Refusal, match=r"up to 0\.11 USD, and 0\.09 USD is left of the money limit of Ada"):
        tried(teacher)

    assert len(server.asked) == 1


def test_what_other_work_has_set_aside_is_not_there_to_try_with(ask, server):
    teacher = ask()
    Trial.objects.create(
        project=teacher.project, name="B", question="?", reserved_usd=teacher.project.money_limit_usd
    )

    with pytest.raises(Refusal, match=r"and 0\.00 USD of the project's money is left"):
        tried(teacher)

    assert server.asked == []


def test_money_spent_between_asking_and_its_turn_counts(ask, server):
    teacher = ask()
    job = trials.start_trial(endpoint=teacher, question="1+1?", agreed_usd=Decimal("0.11"), by=None)
    teacher.project.money_limit_usd = Decimal(0)
    teacher.project.save()

    with pytest.raises(Refusal, match="money is left"):
        trials.run_trial(job=job)

    assert server.asked == []


def test_a_price_that_rose_since_is_not_paid(ask, server):
    teacher = ask()
    job = trials.start_trial(endpoint=teacher, question="1+1?", agreed_usd=Decimal("0.11"), by=None)
    endpoints.change_endpoint(endpoint=teacher, price_out_usd=Decimal(2000))

    with pytest.raises(Refusal, match="can cost more now than you agreed to"):
        trials.run_trial(job=job)

    assert server.asked == []


def test_a_second_delivery_asks_nothing(ask, server):
    job = tried(ask())

    with pytest.raises(AlreadyClaimed):
        trials.run_trial(job=job)

    assert len(server.asked) == 1


def test_a_model_that_was_only_tried_can_become_another_and_go_and_the_money_stays_accounted(ask):
    teacher = ask()
    job = tried(teacher)

    endpoints.change_endpoint(endpoint=teacher, model="r2")
    endpoints.remove_endpoint(endpoint=teacher)

    job.refresh_from_db()
    assert (job.endpoint, job.name, job.model) == (None, "Ada", "r1")
    assert get_spent_usd(job.project) == Decimal("0.05001")


# --- the pages ---


@pytest.fixture
def owned(client, ask):
    teacher = ask()
    client.force_login(teacher.project.membership_set.get().user)
    return teacher


def test_the_dearest_price_is_shown_before_anything_is_asked(client, owned, server):
    page = client.get(f"/teachers/{owned.pk}/try/").text

    assert "Never more than" in page
    assert "$0.11" in page
    assert server.asked == []


def test_qianti_s_own_address_is_not_tried(client, owned):
    owned.base_url = "http://localhost:8000/v1"
    owned.save()

    page = client.post(
        f"/teachers/{owned.pk}/try/",
        {"question": "6 × 7?", "agreed_usd": "0.11"},
        SERVER_PORT="8000",
        follow=True,
    )

    assert "This is Qianti&#x27;s own address; start the vLLM server on another port" in page.text
    assert page.request["PATH_INFO"] == f"/teachers/{owned.pk}/edit/"
    assert not Trial.objects.exists()


def test_a_question_of_the_project_is_offered_and_then_the_next(client, owned, make_pool, make_question):
    pool = make_pool(owned.project)
    first, second = make_question(pool), make_question(pool)

    offered = client.get(f"/teachers/{owned.pk}/try/")
    other = client.get(f"/teachers/{owned.pk}/try/", {"after": first.pk})
    again = client.get(f"/teachers/{owned.pk}/try/", {"after": second.pk})

    texts = [page.context["form"]["question"].value() for page in (offered, other, again)]
    assert texts == [first.text, second.text, first.text]


@pytest.mark.parametrize("after", ["x", "-1", "9" * 40, "²"])
def test_a_question_that_is_none_is_the_first(client, owned, make_pool, make_question, after):
    first = make_question(make_pool(owned.project))

    page = client.get(f"/teachers/{owned.pk}/try/", {"after": after})

    assert page.context["form"]["question"].value() == first.text


def test_asking_leads_to_the_trial_which_shows_all_of_it_as_text(client, owned):
    asked = client.post(f"/teachers/{owned.pk}/try/", {"question": "6 × 7?", "agreed_usd": "0.11"})
    job = Trial.objects.get()
    trials.run_trial(job=job)

    page = client.get(job.get_absolute_url()).text

    assert asked.url == job.get_absolute_url()
    assert "I &lt;script&gt;think&lt;/script&gt;." in page
    assert "<script>think" not in page
    assert "&quot;reasoning_content&quot;" in page
    assert "The endpoint counted the tokens." in page
    assert "$0.05" in page


def test_a_longer_question_that_could_cost_more_shows_its_price_anew(client, owned):
    owned.price_in_usd = Decimal(1000)
    owned.save()

    page = client.post(
        f"/teachers/{owned.pk}/try/", {"question": "x" * 1000, "agreed_usd": "0.11"}, follow=True
    )

    assert "can cost up to 1.10 USD, more than the 0.11 USD shown" in page.text
    assert page.context["form"]["question"].value() == "x" * 1000
    assert page.context["form"]["agreed_usd"].value() == Decimal("1.10")
    assert not Trial.objects.exists()


def test_a_summary_says_that_it_is_none_to_learn_from(client, owned):
    owned.thinking_form = "summary"
    owned.save()
    job = tried(owned)

    page = client.get(job.get_absolute_url()).text

    assert job.is_summary
    assert "Reasoning cannot be learnt from it." in page
