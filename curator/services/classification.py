"""Questions put into domains: by rules, by the nearest labelled ones, by a model, and by experts.

An expert's label outranks all others: no machine and no later file changes it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.jobs import ACTIVE, Pulse, Watch, carried, unwatched
from common.models import Project, User
from curator.core.classification import full_text, nearest_votes
from curator.models import (
    Assistant,
    Classification,
    Domain,
    DomainSource,
    Embedder,
    Question,
)
from curator.queries import get_rule_book
from curator.services.asking import Estimate, address_of
from curator.services.assisting import classify_by_assistant, estimate_labels, prompt_of_label
from curator.services.embeddings import embed_questions, estimate_embedding, first_batch_usd, vectors_of
from curator.services.labels import Changed, Labelled, other_domain, relabel, store_labels
from curator.services.purse import dearest_usd, refuse_without_room_for

CHUNK = 2000  # questions whose labels are stored together
EXAMPLES = (DomainSource.FILE, DomainSource.EXPERT)  # whose labels the nearest neighbours learn from


@transaction.atomic
def set_domains(*, questions: "QuerySet[Question]", domain: Domain | None, by: User | None) -> Changed:
    """Put questions into a domain in an expert's name, and note each change.

    Without a domain they are out of any, and machines may sort them again.

    Raises:
        Refusal: a question is of another project than the domain.
    """
    if domain is not None and questions.exclude(project=domain.project_id).exists():
        raise Refusal(_("The domain %(domain)s is of another project.") % {"domain": domain.name})
    source = "" if domain is None else DomainSource.EXPERT.value
    return relabel(keys=list(questions.values_list("pk", flat=True)), domain=domain, source=source, by=by)


@dataclass(frozen=True)
class Sorting:
    """What a sorting would look at and cost, and how that was computed.

    `texts` are those that a model is asked about: the questions to sort, or all that it has not embedded.
    """

    questions: int
    examples: int
    tokens: int
    usd: Decimal
    basis: str
    texts: int = 0

    @property
    def asked(self) -> Estimate:
        """Return what the model is asked, and what that costs."""
        return Estimate(self.texts, self.tokens, self.usd, self.basis)


def estimate_classification(
    *,
    project: Project,
    way: str,
    assistant: Assistant | None = None,
    embedder: Embedder | None = None,
    only_unlabelled: bool = True,
    **_more: Any,
) -> Sorting:
    """Estimate a sorting of a project's questions; the other values of an order do not change it."""
    job = Classification(project=project, way=way, only_unlabelled=only_unlabelled)
    questions, examples = to_classify(job).count(), _examples(project).count()
    if way == Classification.Way.NEAREST and embedder is not None:
        left = estimate_embedding(project=project, embedder=embedder)
        return Sorting(questions, examples, left.tokens, left.usd, left.basis, left.questions)
    if way == Classification.Way.ASSISTANT and assistant is not None:
        asked = estimate_labels(project=project, assistant=assistant, only_unlabelled=only_unlabelled)
        return Sorting(asked.questions, examples, asked.tokens, asked.usd, asked.basis, asked.questions)
    return Sorting(questions, examples, 0, Decimal(0), _("Rules cost nothing."))


def start_classification(
    *,
    project: Project,
    way: str,
    assistant: Assistant | None = None,
    embedder: Embedder | None = None,
    only_unlabelled: bool = True,
    neighbours: int = 10,
    least_confidence: float = 0.5,
    max_cost_usd: Decimal | None = None,
    by: User | None,
) -> Classification:
    """Queue the sorting of a project's questions into its domains.

    Raises:
        Refusal: the way lacks what it needs, a number cannot be used, or another is under way.
        LimitReached: a limit has no room for the first that the model is asked.
    """
    order = Classification(
        project=project,
        way=Classification.Way(way),
        assistant=assistant if way == Classification.Way.ASSISTANT else None,
        embedder=embedder if way == Classification.Way.NEAREST else None,
        only_unlabelled=only_unlabelled,
        neighbours=neighbours,
        least_confidence=least_confidence,
        max_cost_usd=max_cost_usd,
        created_by=by,
    )
    checked(order, "neighbours", "least_confidence", "max_cost_usd")
    _refuse_unprepared(order)
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)  # a double click makes one order
        if Classification.objects.filter(project=project, state__in=ACTIVE).exists():
            raise Refusal(_("The questions are being sorted already; wait, or cancel that."))
        if endpoint := order.assistant or order.embedder:
            refuse_without_room_for(endpoint=endpoint, usd=first_usd(order), max_cost_usd=max_cost_usd)
        order.save()
    return order


def first_usd(order: Classification) -> Decimal:
    """Return what the first that an order asks a model may cost; 0 where it asks none, or nothing is left."""
    if order.embedder is not None:
        return first_batch_usd(project=order.project, embedder=order.embedder)
    first = to_classify(order).first() if order.assistant is not None else None
    return dearest_usd(order.assistant, prompt_of_label(first)) if first and order.assistant else Decimal(0)


def _refuse_unprepared(order: Classification) -> None:
    """Refuse a way of sorting that has nothing to sort by."""
    if order.way == Classification.Way.RULES:
        if not get_rule_book(order.project).phrases:
            raise Refusal(_("No domain has a rule; open a domain and type the words that belong to it."))
        return
    endpoint = order.assistant if order.way == Classification.Way.ASSISTANT else order.embedder
    if endpoint is None:
        raise Refusal(_("Choose the model that is to be asked; models are entered on the teachers' page."))
    address_of(endpoint)
    if order.way == Classification.Way.NEAREST and not _examples(order.project).exists():
        raise Refusal(
            _("No question has a domain from its file or from an expert; give some one, as examples.")
        )
    if order.way == Classification.Way.ASSISTANT and not order.project.domains.exists():
        raise Refusal(_("The project has no domain yet; enter the taxonomy first."))


def _examples(project: Project) -> "QuerySet[Question]":
    """Return the questions whose domains people gave."""
    rows: QuerySet[Question] = Question.objects.filter(
        project=project, domain__isnull=False, domain_source__in=EXAMPLES
    )
    return rows


def to_classify(job: Classification) -> "QuerySet[Question]":
    """Return the questions that an order may put into domains, by key.

    They are those without a domain, or all that no expert has put into one. The nearest neighbours
    leave alone what a file said too: it is what they learn from.
    """
    rows: QuerySet[Question] = Question.objects.filter(project=job.project).order_by("pk")
    if job.only_unlabelled:
        return rows.filter(domain__isnull=True)
    kept = EXAMPLES if job.way == Classification.Way.NEAREST else (DomainSource.EXPERT,)
    return rows.exclude(Q(domain__isnull=False) & Q(domain_source__in=kept))


def run_classification(*, job: Classification, watch: Watch = unwatched) -> None:
    """Carry one order from queued to done; each chunk of labels is stored as it comes.

    Where a limit has no room for more, it rests.

    Raises:
        AlreadyClaimed: another worker has it.
        EndpointFailed: the endpoint is down; what was received is stored.
    """
    with carried(job):
        _refuse_unprepared(job)
        # These go over all of them again, so what a dead worker counted is void; an assistant goes on.
        if not job.only_unlabelled and job.way != Classification.Way.ASSISTANT:
            Classification.objects.filter(pk=job.pk).update(asked=0, stored=0, failed=0)
        _WAYS[job.way](job, watch)


def _by_rules(job: Classification, watch: Watch) -> None:
    book, pulse = get_rule_book(job.project), Pulse(job, watch)
    questions = to_classify(job)
    total, done = questions.count(), 0
    for chunk in _chunks(questions.only("pk", "text", "options")):
        texts = ((question.pk, full_text(question.text, question.options)) for question in chunk)
        labels = [(key, book.label(text)) for key, text in texts]
        found = [(key, label.domain, label.confidence) for key, label in labels if label is not None]
        _store(job, DomainSource.RULES, found, asked=len(chunk))
        done += len(chunk)
        pulse(done, total, phase=_("matching"))


def _chunks(questions: "QuerySet[Question]") -> Iterator[list[Question]]:
    """Yield the questions by key, while their labels are being stored beside."""
    last = 0
    while chunk := list(questions.filter(pk__gt=last)[:CHUNK]):
        yield chunk
        last = chunk[-1].pk


def _by_nearest(job: Classification, watch: Watch) -> None:
    if job.embedder is None:
        raise Refusal(_("The embedding model was removed; start another order."))
    embed_questions(job=job, embedder=job.embedder, watch=watch)
    keys, vectors = vectors_of(job.project, job.embedder)
    domains = dict(_examples(job.project).values_list("pk", "domain"))
    wanted = set(to_classify(job).values_list("pk", flat=True))
    examples = [place for place, key in enumerate(keys) if key in domains]
    asked = [place for place, key in enumerate(keys) if key in wanted]
    if not examples:
        raise Refusal(_("No labelled question has a vector; label some that are not banned."))
    other, pulse = other_domain(job.project), Pulse(job, watch)
    labels = [domains[keys[place]] for place in examples]
    runs = nearest_votes(vectors[asked], vectors[examples], labels, neighbours=job.neighbours)
    for run in runs:
        sure = run.shares >= job.least_confidence
        chosen = np.where(sure, run.domains, other.pk).tolist()
        run_keys = [keys[place] for place in asked[run.start : run.start + len(chosen)]]
        found = list(zip(run_keys, chosen, run.shares.tolist(), strict=True))
        _store(job, DomainSource.NEAREST, found, asked=len(found))
        pulse(run.start + len(found), len(asked), phase=_("voting"))
    without_vector = len(wanted - set(keys))
    Classification.objects.filter(pk=job.pk).update(failed=without_vector)


@transaction.atomic
def _store(job: Classification, source: DomainSource, found: Sequence[Labelled], *, asked: int) -> None:
    """Store a chunk's labels and count them together."""
    stored = store_labels(project=job.project, source=source, labelled=found)
    counted = {"asked": F("asked") + asked, "stored": F("stored") + stored}
    Classification.objects.filter(pk=job.pk).update(**counted)


_WAYS: dict[str, Callable[[Classification, Watch], Any]] = {
    Classification.Way.RULES: _by_rules,
    Classification.Way.NEAREST: _by_nearest,
    Classification.Way.ASSISTANT: classify_by_assistant,
}
