"""The pages of the taxonomy and of sorting: what they show, what they change, and that they work without script."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from common.access import Role
from curator.models import Classification, Domain, DomainRule, Embedder, QuestionEdit
from curator.services import classification, taxonomy
from tests.stand_in import embeddings, standing_in


@pytest.fixture
def owner(make_user):
    return make_user()


@pytest.fixture
def project(client, make_project, owner):
    project = make_project("tax-law", owner=owner)
    client.force_login(owner)
    return project


@pytest.fixture
def tree(project, make_pool, make_question):
    """Return domains by code: law with contracts under it, and tax; two questions in contracts, one in none."""
    law = Domain.objects.create(project=project, code="law", name="Law", weight=3)
    contracts = Domain.objects.create(project=project, code="law.1", name="合同法", parent=law)
    tax = Domain.objects.create(project=project, code="tax", name="Tax", weight=1)
    pool = make_pool(project)
    fields = {"domain": contracts, "domain_source": "rules"}
    make_question(pool, text="What is a contract?", domain_confidence=0.4, **fields)
    make_question(pool, text="合同何时成立？", domain_confidence=0.9, **fields)
    make_question(pool, text="What is a tax?")
    return {"law": law, "law.1": contracts, "tax": tax}


def url(name, *args):
    return reverse(name, args=args)


def test_the_tree_shows_shares_counts_and_who_sorted_the_questions(client, project, tree):
    page = client.get(url("taxonomy", project.slug)).text

    assert "75%" in page
    assert "25%" in page
    assert "0 by an expert, 0 by the file, 2 by a machine" in page
    assert "1 unsure" in page
    assert "?domain=none" in page


def test_the_tree_asks_as_many_queries_for_many_domains_as_for_few(
    client, project, tree, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        client.get(url("taxonomy", project.slug))
    Domain.objects.bulk_create([Domain(project=project, code=f"d{n}", name=f"D {n}") for n in range(50)])

    with django_assert_num_queries(len(few)):
        client.get(url("taxonomy", project.slug))


def test_a_file_is_read_and_a_broken_one_is_refused_beside_the_form(client, project):
    good = SimpleUploadedFile("t.csv", "编号,名称\nA,资产\n".encode())
    bad = SimpleUploadedFile("t.csv", b"code,weight\nA,heavy\n")

    read = client.post(url("taxonomy", project.slug), {"file": good}, follow=True)
    refused = client.post(url("taxonomy", project.slug), {"file": bad})

    assert "1 domain was read" in read.text
    assert "Row 2, column “weight”: the weight “heavy” is no number." in refused.text


def test_a_typed_tree_is_shown_as_changes_first_and_changed_when_that_is_confirmed(client, project, tree):
    page = url("taxonomy_typed", project.slug)
    assert "  law.1 合同法" in client.get(page).text

    typed = "law Law 3\r\nnew Brand new 2\r\n"
    preview = client.post(page, {"text": typed})
    assert "1 domain is added" in preview.text
    assert "2 questions go to law" in preview.text
    assert project.domains.count() == 3
    digest = re.search(r'name="digest" value="(\w+)"', preview.text)[1]
    client.post(page, {"text": typed, "digest": digest, "confirm": "yes"})

    assert sorted(project.domains.values_list("code", flat=True)) == ["law", "new"]
    assert project.questions.filter(domain__code="law").count() == 2


def test_a_stale_confirmation_shows_the_changes_again(client, project, tree):
    page = url("taxonomy_typed", project.slug)

    response = client.post(page, {"text": "law Law", "digest": "stale", "confirm": "yes"})

    assert "look at the changes again" in response.text
    assert project.domains.count() == 3


def test_a_domain_is_added_and_changed(client, project, tree):
    client.post(
        url("domain_new", project.slug),
        {"code": "vat", "name": "VAT", "parent": tree["tax"].pk, "weight": "30%"},
    )
    vat = project.domains.get(code="vat")
    client.post(url("domain", vat.pk), {"code": "vat", "name": "增值税", "parent": "", "weight": ""})

    vat.refresh_from_db()
    assert (vat.name, vat.parent, vat.weight) == ("增值税", None, None)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"code": "law", "name": "x"}, "already"),
        ({"code": "x", "name": "x", "weight": "heavy"}, "“heavy” is no number"),
        ({"code": "", "name": "x"}, "required"),
    ],
)
def test_a_domain_that_cannot_be_is_refused_beside_the_form(client, project, tree, fields, sentence):
    response = client.post(url("domain_new", project.slug), fields)

    assert sentence in response.text
    assert project.domains.count() == 3


def test_a_domain_is_removed_after_it_was_asked_where_its_questions_go(client, project, tree):
    page = url("domain_remove", tree["law.1"].pk)
    assert "2 questions are in this domain" in client.get(page).text

    client.post(page, {"heir": "other"})

    assert project.questions.filter(domain__code="other").count() == 2


def test_rules_are_added_counted_and_removed(client, project, tree):
    page = url("domain", tree["tax"].pk)
    client.post(url("rule_add", tree["tax"].pk), {"words": "tax, 税"})
    rule = DomainRule.objects.get()

    counted = client.get(page, {"counts": 1})
    assert counted.context["counts"] == {rule.pk: 1}
    assert "already" in client.post(url("rule_add", tree["tax"].pk), {"words": "tax, 税"}, follow=True).text
    client.post(url("rule_remove", rule.pk))

    assert not DomainRule.objects.exists()


def test_the_counts_of_rules_are_fetched_after_the_page(client, project, tree):
    taxonomy.add_rule(domain=tree["tax"], words="tax")

    page = client.get(url("domain", tree["tax"].pk))
    part = client.get(url("domain", tree["tax"].pk), {"counts": 1}, headers={"HX-Request": "true"})

    assert 'hx-trigger="load"' in page.text
    assert "<html" not in part.text
    assert "hx-trigger" not in part.text


def test_what_words_would_hit_is_shown_while_they_are_typed(client, project, tree):
    part = client.get(
        url("domain", tree["tax"].pk), {"words": "contract, 合同"}, headers={"HX-Request": "true"}
    )

    assert "<html" not in part.text
    assert "2 questions" in part.text
    assert "of which 0 in no domain" in part.text
    assert "What is a contract?" in part.text


def test_an_expert_corrects_the_least_sure_ones_on_the_domain_s_page(client, project, tree, owner):
    page = client.get(url("domain", tree["law.1"].pk))
    unsure = [question.text for question in page.context["unsure"]]
    assert unsure == ["What is a contract?", "合同何时成立？"]

    chosen = project.questions.get(text="What is a contract?")
    fields = {"questions": [chosen.pk], "domain": tree["tax"].pk}
    response = client.post(url("domain_questions", tree["law.1"].pk), fields, follow=True)

    chosen.refresh_from_db()
    assert (chosen.domain.code, chosen.domain_source) == ("tax", "expert")
    assert QuestionEdit.objects.get().changed_by == owner
    assert "1 question: Tax." in response.text


def test_questions_and_domains_of_other_projects_cannot_be_named(
    client, project, tree, make_question, make_project
):
    foreign = make_question()
    elsewhere = Domain.objects.create(project=make_project(), code="x", name="X")
    own = project.questions.first()

    client.post(
        url("domain_questions", tree["tax"].pk), {"questions": [foreign.pk], "domain": tree["tax"].pk}
    )
    client.post(url("domain_questions", tree["tax"].pk), {"questions": [own.pk], "domain": elsewhere.pk})
    client.post(url("domain_new", project.slug), {"code": "y", "name": "Y", "parent": elsewhere.pk})

    foreign.refresh_from_db()
    assert foreign.domain is None
    assert not project.questions.filter(domain=elsewhere).exists()
    assert not project.domains.filter(code="y").exists()


# --- sorting ---


def test_a_correction_is_undone_on_the_page_on_which_it_was_made(client, tree, make_pool, make_question):
    pool = make_pool(tree["tax"].project)
    question = make_question(pool, domain=tree["law.1"], domain_source="rules", domain_confidence=0.4)
    at = url("domain", tree["law.1"].pk)
    sent = {"questions": [question.pk], "domain": tree["tax"].pk}

    page = client.post(url("domain_questions", tree["law.1"].pk), sent, follow=True)
    undo = page.context["undo"]
    back = client.post(f"/projects/{pool.project.slug}/questions/undo/", {**undo, "next": at})

    question.refresh_from_db()
    assert "Undo the change of 1 question" in page.text
    assert back.url == at
    assert (question.domain, question.domain_source, question.domain_confidence) == (
        tree["law.1"],
        "rules",
        0.4,
    )


def test_sorting_by_rules_is_estimated_then_started(
    client, project, tree, django_capture_on_commit_callbacks
):
    taxonomy.add_rule(domain=tree["tax"], words="tax")
    page = url("classification_new", project.slug)

    estimate = client.get(page, {"way": "rules", "only_unlabelled": "yes"})
    assert estimate.context["sorting"].questions == 1
    assert not Classification.objects.exists()
    response = client.post(page, {"way": "rules", "only_unlabelled": "yes"})

    job = Classification.objects.get()
    assert response.url == job.get_absolute_url()
    classification.run_classification(job=job)
    shown = client.get(job.get_absolute_url(), headers={"HX-Request": "true"})
    assert "<html" not in shown.text
    assert "every 2s" not in shown.text


def test_a_running_order_s_page_asks_for_itself_again(client, project):
    job = Classification.objects.create(project=project, way="rules")

    assert 'hx-trigger="every 2s"' in client.get(job.get_absolute_url()).text


def test_what_cannot_be_started_is_told_beside_the_form(client, project, tree):
    response = client.post(
        url("classification_new", project.slug), {"way": "rules", "only_unlabelled": "yes"}
    )

    assert "No domain has a rule" in response.text


def test_without_a_model_the_page_says_who_enters_one(client, project, tree):
    assert (
        "no embedding model yet"
        in client.get(url("classification_new", project.slug), {"way": "nearest"}).text
    )


def test_a_curator_sorts_by_rules_and_not_by_what_costs(client, project, tree, make_member):
    taxonomy.add_rule(domain=tree["tax"], words="tax")
    model = Embedder.objects.create(project=project, name="V", base_url="http://127.0.0.1:9/v1")
    client.force_login(make_member(project, Role.CURATOR))
    page = url("classification_new", project.slug)
    paid = {"way": "nearest", "embedder": model.pk, "neighbours": 5, "least_confidence": 0.5}

    assert "the owner starts it" in client.get(page, {"way": "nearest"}).text
    assert client.post(page, paid | {"only_unlabelled": "yes", "max_cost_usd": 1}).status_code == 403
    assert client.post(page, {"way": "rules", "only_unlabelled": "yes"}).status_code == 302
    job = Classification.objects.create(project=project, way="nearest", embedder=model)
    assert client.post(url("classification_retry", job.pk)).status_code == 403


def test_an_order_is_cancelled_and_goes_on(client, project):
    job = Classification.objects.create(project=project, way="rules")

    client.post(url("classification_cancel", job.pk))
    job.refresh_from_db()
    assert job.state == "cancelled"
    client.post(url("classification_retry", job.pk))

    job.refresh_from_db()
    assert job.state == "queued"


# --- the command ---


def test_the_command_sorts_by_neighbours(project, tree, capsys):
    project.questions.filter(domain__code="law.1").update(domain_source="file")
    with standing_in() as server:
        server.embed_as = lambda texts, _before: embeddings([[1, 0]] * len(texts))
        Embedder.objects.create(project=project, name="V", base_url=server.url)
        call_command("classify", project.slug, "--way", "nearest", "--model", "V", "--json")

    assert '"asked": 1, "stored": 1, "failed": 0' in capsys.readouterr().out
    assert project.questions.get(text="What is a tax?").domain.code == "law.1"


def test_the_command_names_the_models_that_there_are(project, tree):
    Embedder.objects.create(project=project, name="Vera")

    with pytest.raises(CommandError, match="tax-law has Vera"):
        call_command("classify", project.slug, "--way", "nearest", "--model", "V")
