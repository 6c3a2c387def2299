"""Questions come into domains by rules, by neighbours and by experts, whose word no machine changes."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from common.core.refusal import Refusal
from common.core.text import content_hash
from common.jobs import AlreadyClaimed, JobState
from curator.models import Assistant, Classification, Domain, Embedder, Question, QuestionEdit
from curator.services import classification, imports, pools, taxonomy
from curator.services import embeddings as embeddings_service
from curator.services.classification import (
    estimate_classification,
    run_classification,
    set_domains,
    start_classification,
)
from curator.services.labels import other_domain
from curator.services.ordering import change_limit
from curator.services.purse import LimitReached, spent_on
from curator.services.questions import undo_change
from tests.stand_in import completion, embeddings, standing_in


@pytest.fixture
def field(make_project, make_pool):
    """Return a project with two domains that have rules, and a pool."""
    project = make_project()
    tax = Domain.objects.create(project=project, code="tax", name="Tax")
    law = Domain.objects.create(project=project, code="law", name="Law")
    taxonomy.add_rule(domain=tax, words="tax, 税")
    taxonomy.add_rule(domain=law, words="contract, 合同")
    project.pool = make_pool(project)
    return project


@pytest.fixture
def ask(field, make_question):
    """Return what puts a question with a text into the pool."""

    def make(text, **fields):
        domain = fields.pop("domain", "")
        if domain:
            fields["domain"] = field.domains.get(code=domain)
        return make_question(field.pool, text=text, **fields)

    return make


def run(project, way="rules", **fields):
    job = start_classification(project=project, way=way, by=None, **fields)
    run_classification(job=job)
    job.refresh_from_db()
    return job


def label(question):
    question.refresh_from_db()
    return question.domain.code if question.domain else "", question.domain_source, question.domain_confidence


# --- by rules ---


def test_rules_put_questions_into_domains(field, ask):
    taxed, legal, neither = (
        ask("What is a tax?"),
        ask("合同何时成立？", options=["甲"]),
        ask("How much is 1 and 1?"),
    )

    job = run(field)

    assert label(taxed) == ("tax", "rules", 1)
    assert label(legal) == ("law", "rules", 1)
    assert label(neither) == ("", "", None)
    assert (job.state, job.asked, job.stored, job.failed) == (JobState.SUCCEEDED, 3, 2, 0)


def test_options_count_as_text(field, ask):
    question = ask("Which?", options=["a contract", "a deed"])

    run(field)

    assert label(question)[0] == "law"


def test_what_is_in_a_domain_stays_there_unless_all_are_to_be_sorted_again(field, ask):
    filed = ask("tax", domain="law", domain_source="file")
    ruled = ask("tax, tax", domain="law", domain_source="rules", domain_confidence=0.5)

    run(field)
    assert [label(filed)[0], label(ruled)[0]] == ["law", "law"]
    job = run(field, only_unlabelled=False)

    assert label(filed) == ("tax", "rules", 1)
    assert label(ruled) == ("tax", "rules", 1)
    assert (job.asked, job.stored) == (2, 2)


def test_an_expert_s_label_outranks_every_rule(field, ask, make_user):
    question = ask("tax")
    set_domains(questions=field.questions.all(), domain=field.domains.get(code="law"), by=make_user())

    run(field, only_unlabelled=False)

    assert label(question) == ("law", "expert", None)


def test_an_expert_who_labels_while_a_machine_is_at_work_is_not_overruled(field, ask, monkeypatch):
    question = ask("tax")
    store = classification.store_labels

    def store_late(**options):
        set_domains(questions=field.questions.all(), domain=field.domains.get(code="law"), by=None)
        return store(**options)

    monkeypatch.setattr(classification, "store_labels", store_late)
    job = run(field)

    assert label(question) == ("law", "expert", None)
    assert (job.asked, job.stored) == (1, 0)


def test_a_domain_that_is_removed_meanwhile_gets_nothing(field, ask, monkeypatch):
    question = ask("tax")
    store = classification.store_labels

    def store_late(**options):
        taxonomy.remove_domain(domain=field.domains.get(code="tax"), by=None)
        return store(**options)

    monkeypatch.setattr(classification, "store_labels", store_late)
    run(field)

    assert label(question) == ("", "", None)


def test_a_later_file_does_not_change_an_expert_s_label(field, ask, tmp_path):
    question = ask("tax")
    Question.objects.filter(pk=question.pk).update(content_hash=content_hash("tax"))
    set_domains(questions=field.questions.all(), domain=field.domains.get(code="law"), by=None)
    path = tmp_path / "more.csv"
    path.write_text("question,answer,domain\ntax,2,Tax\n", encoding="utf-8")

    job = pools.start_import(pool=field.pool, content=path, file_name="more.csv", mapping=None, by=None)
    imports.run_import(job=job)

    job.refresh_from_db()
    assert job.rows_duplicate == 1
    assert label(question) == ("law", "expert", None)


def test_a_second_delivery_changes_nothing(field, ask):
    ask("tax")
    job = start_classification(project=field, way="rules", by=None)
    run_classification(job=job)

    with pytest.raises(AlreadyClaimed):
        run_classification(job=Classification.objects.get(pk=job.pk))


def test_a_cancelled_order_keeps_what_it_has_and_goes_on_from_there(field, ask, monkeypatch):
    monkeypatch.setattr(classification, "CHUNK", 2)
    monkeypatch.setattr("common.jobs.BEAT_SECONDS", 0)
    for number in range(6):
        ask(f"tax {number}")
    job = start_classification(project=field, way="rules", by=None)

    def cancel(watched):
        Classification.objects.filter(pk=watched.pk).update(cancel_requested=watched.progress_done < 6)

    run_classification(job=job, watch=cancel)
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    first = job.stored
    assert first == field.questions.filter(domain__isnull=False).count() < 6

    job.requeue(now=timezone.now())
    run_classification(job=job)

    job.refresh_from_db()
    assert (job.state, job.asked, job.stored) == (JobState.SUCCEEDED, 6, 6)


# --- by the nearest labelled questions ---


@pytest.fixture
def embedder(field):
    """Return a model that sees only which of two words a text is about."""
    with standing_in() as server:
        server.embed_as = lambda texts, _before: embeddings(
            [[1.0, 0.01 * len(text)] if "levy" in text else [0.01 * len(text), 1.0] for text in texts]
        )
        made = Embedder.objects.create(project=field, name="Vera", base_url=server.url, model="v")
        made.server = server
        yield made


@pytest.fixture
def examples(ask):
    """Return labelled questions: three on levies, from the file, and two on deeds, one by an expert."""
    return [
        *(ask(f"A levy, {number}", domain="tax", domain_source="file") for number in range(3)),
        ask("A deed", domain="law", domain_source="file"),
        ask("Another deed", domain="law", domain_source="expert"),
    ]


def test_the_nearest_examples_vote_and_their_share_is_the_confidence(field, ask, embedder, examples):
    levy, deed = ask("Which levy?"), ask("Which deed?")

    job = run(field, "nearest", embedder=embedder, neighbours=3)

    assert label(levy) == ("tax", "nearest", 1)
    assert label(deed) == ("law", "nearest", pytest.approx(2 / 3))
    assert (job.asked, job.stored, job.failed) == (2, 2, 0)


def test_below_the_least_confidence_a_question_goes_to_other(field, ask, embedder, examples):
    deed = ask("Which deed?")

    run(field, "nearest", embedder=embedder, neighbours=3, least_confidence=0.9)

    assert label(deed) == ("other", "nearest", pytest.approx(2 / 3))


def test_machines_labels_are_no_examples_and_examples_are_not_sorted_again(field, ask, embedder, examples):
    wrong = ask("Whose levy?", domain="law", domain_source="rules", domain_confidence=1.0)
    field.questions.filter(pk=examples[3].pk).update(text="A levy too")

    run(field, "nearest", embedder=embedder, neighbours=3, only_unlabelled=False)

    assert label(wrong)[:2] == ("tax", "nearest")
    assert label(examples[3]) == ("law", "file", None)


def test_a_text_that_the_model_does_not_take_counts_as_failed(field, ask, embedder, examples):
    ask("Which levy?", standing="banned")

    job = run(field, "nearest", embedder=embedder)

    assert (job.asked, job.stored, job.failed) == (0, 0, 1)


def test_vectors_are_paid_once(field, ask, embedder, examples):
    Embedder.objects.filter(pk=embedder.pk).update(price_in_usd=Decimal(100))
    embedder.refresh_from_db()
    ask("Which levy?")

    first = run(field, "nearest", embedder=embedder)
    second = run(field, "nearest", embedder=embedder, only_unlabelled=False)

    assert first.cost_usd == Decimal("0.001")
    assert second.cost_usd == 0


# --- by a model ---


def test_a_model_names_the_domain_and_its_confidence(field, ask):
    with standing_in(
        lambda *_: completion('{"code": "law", "confidence": 0.8, "reason": "deeds"}')
    ) as server:
        model = Assistant.objects.create(project=field, name="Ada", base_url=server.url, model="a")
        question, sure = ask("Which deed?"), ask("tax", domain="tax", domain_source="expert")

        estimate = estimate_classification(
            project=field, way="assistant", assistant=model, only_unlabelled=False
        )
        job = run(field, "assistant", assistant=model, only_unlabelled=False)

    assert label(question) == ("law", "assistant", 0.8)
    assert label(sure) == ("tax", "expert", None)
    assert (estimate.questions, job.stored, job.failed) == (1, 1, 0)


# --- what an order would take ---


def test_an_estimate_counts_what_is_left_to_sort(field, ask, embedder, examples):
    ask("Which levy?")
    ask("tax", domain="law", domain_source="rules")

    new = estimate_classification(project=field, way="nearest", embedder=embedder)
    again = estimate_classification(project=field, way="nearest", embedder=embedder, only_unlabelled=False)
    ruled = estimate_classification(project=field, way="rules", only_unlabelled=False)

    assert (new.questions, new.examples) == (1, 5)
    assert again.questions == 2
    assert (ruled.questions, ruled.usd) == (6, 0)


# --- what cannot be started ---


@pytest.mark.parametrize(
    ("way", "sentence"),
    [("nearest", "Choose the model"), ("assistant", "Choose the model")],
)
def test_a_way_that_asks_a_model_needs_one(field, way, sentence):
    with pytest.raises(Refusal, match=sentence):
        start_classification(project=field, way=way, by=None)


def test_rules_are_needed_to_sort_by_rules(make_project):
    with pytest.raises(Refusal, match="No domain has a rule"):
        start_classification(project=make_project(), way="rules", by=None)


def test_examples_are_needed_to_sort_by_them(field, embedder, ask):
    ask("A levy", domain="tax", domain_source="rules")

    with pytest.raises(Refusal, match="as examples"):
        start_classification(project=field, way="nearest", embedder=embedder, by=None)


def test_one_order_at_a_time(field):
    start_classification(project=field, way="rules", by=None)

    with pytest.raises(Refusal, match="already"):
        start_classification(project=field, way="rules", by=None)


@pytest.mark.parametrize(
    "wrong", [{"neighbours": 0}, {"least_confidence": 1.5}, {"max_cost_usd": Decimal("1e12")}]
)
def test_numbers_out_of_range_are_refused(field, wrong):
    with pytest.raises(Refusal):
        start_classification(project=field, way="rules", by=None, **wrong)

    assert not Classification.objects.exists()


# --- by experts ---


def test_an_expert_corrects_many_at_once_and_each_change_is_noted(field, ask, make_user):
    expert = make_user()
    for number in range(5):
        ask(f"q{number}", domain="tax", domain_source="rules", domain_confidence=0.3)
    right = ask("right", domain="law", domain_source="rules", domain_confidence=0.9)

    count = set_domains(
        questions=field.questions.all(), domain=field.domains.get(code="law"), by=expert
    ).count

    assert count == 6
    assert {label(question) for question in field.questions.all()} == {("law", "expert", None)}
    edits = QuestionEdit.objects.filter(field="domain", changed_by=expert)
    assert set(edits.exclude(question=right).values_list("before", "after")) == {("tax", "law")}
    assert edits.get(question=right).after == "law"  # an expert says now what rules said
    assert edits.count() == 6


def test_many_corrected_at_once_are_put_back_as_surely_as_they_were(field, ask, make_user):
    expert = make_user()
    tax = ask("tax", domain="tax", domain_source="rules", domain_confidence=0.25)
    law = ask("law", domain="law", domain_source="assistant", domain_confidence=0.75)
    none, since = ask("none"), ask("since", domain="tax", domain_source="file")
    changed = set_domains(questions=field.questions.all(), domain=field.domains.get(code="law"), by=expert)
    set_domains(questions=field.questions.filter(pk=since.pk), domain=None, by=expert)

    undone = undo_change(project=field, field="domain", at=changed.at, by=expert)
    again = undo_change(project=field, field="domain", at=undone.at, by=expert)
    undo_change(project=field, field="domain", at=again.at, by=expert)

    assert (changed.count, undone.count) == (4, 3)
    assert label(tax) == ("tax", "rules", 0.25)
    assert label(law) == ("law", "assistant", 0.75)
    assert label(none) == label(since) == ("", "", None)


def test_questions_are_not_put_back_into_a_domain_that_is_gone(field, ask, make_user):
    expert, question = make_user(), ask("tax", domain="tax", domain_source="rules")
    changed = set_domains(questions=field.questions.all(), domain=field.domains.get(code="law"), by=expert)
    field.domains.get(code="tax").delete()

    with pytest.raises(Refusal, match="no domain with the code tax any more"):
        undo_change(project=field, field="domain", at=changed.at, by=expert)

    assert label(question)[0] == "law"


def test_an_expert_takes_questions_out_of_any_domain_and_machines_may_sort_them_again(field, ask):
    question = ask("tax", domain="law", domain_source="expert")

    set_domains(questions=field.questions.all(), domain=None, by=None)
    assert label(question) == ("", "", None)
    run(field)

    assert label(question)[:2] == ("tax", "rules")


def test_a_domain_of_another_project_is_refused(field, ask, make_project):
    question = ask("tax")
    foreign = Domain.objects.create(project=make_project(), code="x", name="X")

    with pytest.raises(Refusal, match="of another project"):
        set_domains(questions=field.questions.all(), domain=foreign, by=None)

    assert label(question) == ("", "", None)


def test_the_bucket_is_made_once_and_in_the_project_s_language(field, make_project):
    assert other_domain(field) == other_domain(field)
    assert other_domain(field).name == "Other"
    assert other_domain(make_project(languages=["zh", "en"])).name == "其他"


# --- what it may cost ---


@pytest.fixture
def dear(embedder, ask, examples):
    """Return a model that asks a dollar for 1,000 bytes, and seven texts of 1,000 that it has not seen."""
    Embedder.objects.filter(pk=embedder.pk).update(price_in_usd=1000, max_in_flight=1)
    embedder.refresh_from_db()
    embedder.server.embed_as = lambda texts, _before: embeddings([[1.0, 0.0] for _ in texts], tokens_in=1000)
    for number in range(2):
        ask(f"Which levy {number}?")
    embedder.project.questions.update(text="levy" * 250)
    return embedder


@pytest.mark.parametrize("whose", ["order", "project", "model"])
def test_a_sorting_is_refused_whose_first_texts_cannot_be_paid_for(field, dear, monkeypatch, whose):
    monkeypatch.setattr(embeddings_service, "BATCH_TEXTS", 1)
    limit = Decimal("0.99")
    if whose == "project":
        field.money_limit_usd = limit
        field.save()
    if whose == "model":
        dear.money_limit_usd = limit
        dear.save()

    with pytest.raises(LimitReached, match=r"0\.99 USD.* the next might cost \$1\.00"):
        start_classification(
            project=field,
            way="nearest",
            embedder=dear,
            max_cost_usd=limit if whose == "order" else None,
            by=None,
        )

    assert not Classification.objects.exists()


def test_a_sorting_by_a_model_is_refused_whose_first_question_cannot_be_paid_for(field, ask):
    ask("Which levy?")
    assistant = Assistant.objects.create(
        project=field, name="Ada", base_url="http://127.0.0.1:9/v1", model="a", price_out_usd=100
    )

    with pytest.raises(LimitReached, match=r"The order's limit of 0\.10 USD"):
        start_classification(
            project=field, way="assistant", assistant=assistant, max_cost_usd=Decimal("0.10"), by=None
        )

    assert not Classification.objects.exists()


def test_where_everything_is_embedded_no_money_is_needed(field, dear):
    run(field, "nearest", embedder=dear)

    job = start_classification(project=field, way="nearest", embedder=dear, max_cost_usd=Decimal(0), by=None)

    assert job.state == JobState.QUEUED


def test_a_sorting_rests_where_the_limit_is_reached_and_goes_on_once_it_is_raised(field, dear, monkeypatch):
    monkeypatch.setattr(embeddings_service, "BATCH_TEXTS", 1)

    job = run(field, "nearest", embedder=dear, max_cost_usd=Decimal("3.5"))
    assert (job.state, job.cost_usd, job.reserved_usd, job.stored) == (JobState.PAUSED, 3, 0, 0)
    assert "The order's limit of 3.50 USD" in job.failure
    change_limit(order=job, max_cost_usd=Decimal(10))
    job.requeue(now=timezone.now())
    run_classification(job=job)

    job.refresh_from_db()
    assert (job.state, job.cost_usd, job.stored, job.failure) == (JobState.SUCCEEDED, 7, 2, "")


def test_sortings_count_towards_the_limit_of_their_model(field, dear, ask):
    run(field, "nearest", embedder=dear)

    assert spent_on(dear) == 1  # all seven texts went out together

    dear.money_limit_usd = Decimal("1.50")
    dear.save()
    ask("levy" * 250)
    with pytest.raises(LimitReached, match=r"The money limit of Vera, 1\.50 USD"):
        start_classification(project=field, way="nearest", embedder=dear, by=None)


@pytest.mark.parametrize(
    ("whose", "usd", "payable"),
    [("order", "1.00", 4), ("project", "1.00", 4), ("model", "1.00", 4), ("none", "20.00", None)],
)
def test_the_page_says_how_far_all_the_limits_let_a_sorting_come(
    client, field, dear, monkeypatch, whose, usd, payable
):
    monkeypatch.setattr(embeddings_service, "BATCH_TEXTS", 1)
    client.force_login(field.members.get())
    field.money_limit_usd = 1 if whose == "project" else 50
    field.save()
    dear.money_limit_usd = 1 if whose == "model" else None
    dear.save()
    given = {"way": "nearest", "embedder": dear.pk, "neighbours": 5, "least_confidence": 0.5}
    limit = 1 if whose == "order" else 20

    page = client.get(
        reverse("classification_new", args=[field.slug]),
        {**given, "only_unlabelled": "yes", "max_cost_usd": limit},
    )

    allowance = page.context["allowance"]
    assert (f"{allowance.usd:.2f}", allowance.payable, allowance.refusal) == (usd, payable, "")
    assert f"<strong>${usd}</strong>" in page.text
    assert ("then the order rests" in page.text) == (payable is not None)
    assert "Start sorting" in page.text


def test_the_page_offers_no_start_that_would_be_refused(client, field, dear):
    client.force_login(field.members.get())
    given = {"way": "nearest", "embedder": dear.pk, "neighbours": 5, "least_confidence": 0.5}

    page = client.get(
        reverse("classification_new", args=[field.slug]),
        {**given, "only_unlabelled": "yes", "max_cost_usd": "0.50"},
    )

    assert "The order&#x27;s limit of 0.50 USD does not allow another answer" in page.text
    assert "Start sorting" not in page.text
