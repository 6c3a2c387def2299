"""Questions put into domains by an assistant, whose label is checked before it is believed."""

from collections.abc import Callable

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.core.text import estimate_tokens
from common.endpoints import Prompt
from common.jobs import Watch, unwatched
from common.models import Project
from curator.core.classification import OTHER
from curator.core.labels import TRIES, labelling_prompt, labelling_schema, labelling_system, read_choice
from curator.core.taxonomy import walk
from curator.models import Assistant, Classification, Domain, DomainSource, Question
from curator.queries import get_nodes
from curator.services.asking import (
    Estimate,
    Received,
    Settled,
    about_tokens,
    ask_all,
    by_key,
    estimate_of,
    one_by_one,
)
from curator.services.labels import other_domain, store_labels

ASSUMED_REPLY_TOKENS = 60  # a code, a number and one sentence, as JSON


def unlabelled_by(job: Classification) -> "QuerySet[Question]":
    """Return the questions that an order has still to label, by key.

    They are those without a domain, or all that no expert has put into one. What this order has labelled
    already is not asked again: an order that was interrupted pays for no question twice.
    """
    rows: QuerySet[Question] = Question.objects.filter(project=job.project).order_by("pk")
    if job.only_unlabelled:
        return rows.filter(domain__isnull=True)
    done = Q(domain_source=DomainSource.ASSISTANT, changed_at__gte=job.created_at)
    return rows.exclude(Q(domain__isnull=False) & (Q(domain_source=DomainSource.EXPERT) | done))


def estimate_labels(*, project: Project, assistant: Assistant, only_unlabelled: bool = True) -> Estimate:
    """Estimate what it takes to let an assistant label a project's questions."""
    rows = Question.objects.filter(project=project)
    rows = (
        rows.filter(domain__isnull=True)
        if only_unlabelled
        else rows.exclude(Q(domain__isnull=False) & Q(domain_source=DomainSource.EXPERT))
    )
    questions, tokens_in = about_tokens(rows, "language", "text")
    each_in, each_out = estimate_tokens(_system(project)), min(ASSUMED_REPLY_TOKENS, assistant.max_tokens)
    basis = _(
        "The taxonomy is read with every question: %(tokens)s tokens. About %(out)s tokens a label."
    ) % {
        "tokens": each_in,
        "out": each_out,
    }
    return estimate_of(
        assistant,
        questions=questions,
        tokens_in=tokens_in + questions * each_in,
        tokens_out=questions * each_out,
        basis=basis,
    )


def classify_by_assistant(job: Classification, watch: Watch = unwatched) -> None:
    """Ask the assistant of a claimed order for the domain of each question; each label is stored as it comes.

    A question for which it names no domain of the taxonomy in three tries keeps what it had, and is counted
    as failed. "other" is used where the model itself says so.

    Raises:
        Paused, EndpointFailed, Refusal: the order cannot go on; what was received is stored.
    """
    if job.assistant is None:
        raise Refusal(_("The assistant was removed; start another order."))
    prompt_of = _prompts_of(job.project)
    domains = dict(Domain.objects.filter(project=job.project).values_list("code", "pk"))
    questions = unlabelled_by(job)
    ask_all(
        job=job,
        endpoint=job.assistant,
        items=by_key(questions.only("pk", "text", "options", "content_hash")),
        wanted=questions.count(),
        prompt_of=prompt_of,
        sample_of=lambda question: f"{job.pk}/{question.pk}",
        store=one_by_one(lambda received: _store(job, domains, received)),
        watch=watch,
        tries=TRIES,
    )


def prompt_of_label(question: Question) -> Prompt:
    """Return what an assistant is asked about a question."""
    return _prompts_of(question.project)(question)


def _prompts_of(project: Project) -> Callable[[Question], Prompt]:
    system = _system(project)
    schema = labelling_schema([node.code for node in get_nodes(project)])

    def prompt_of(question: Question) -> Prompt:
        asked = labelling_prompt(question.text, question.options)
        return Prompt(asked, system=system, wants_json=True, schema=schema)

    return prompt_of


def _system(project: Project) -> str:
    tree = walk(get_nodes(project), last=OTHER)
    return labelling_system([(depth, node.code, node.name) for node, depth in tree])


def _store(job: Classification, domains: dict[str, int], received: Received[Question]) -> Settled:
    choice = read_choice(received.reply.answer, domains)
    if choice is None:
        return Settled.UNREADABLE
    asked = received.item
    rows = Question.objects.select_for_update(no_key=True)
    if not rows.filter(pk=asked.pk, content_hash=asked.content_hash).exists():
        return Settled.GONE
    if not unlabelled_by(job).filter(pk=asked.pk).exists():
        return Settled.ALREADY
    domain = domains.get(choice.code) or other_domain(job.project).pk
    labelled = [(asked.pk, domain, choice.confidence)]
    stored = store_labels(project=job.project, source=DomainSource.ASSISTANT, labelled=labelled)
    return Settled.STORED if stored else Settled.GONE
