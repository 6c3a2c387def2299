"""Reads of the domains, their rules, and how sure the labels are."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from common.models import Project
from curator.core.classification import OTHER, RuleBook, full_text, phrases_of
from curator.core.taxonomy import Node, shares_of, walk
from curator.models import (
    Classification,
    Domain,
    DomainRule,
    DomainSource,
    Question,
    Trace,
)

LEAST_SURE = 0.6  # below this a machine's label is worth an expert's look
BINS = 10
UNSURE_SHOWN = 20
HIT_EXAMPLES = 3
_MACHINES = (DomainSource.RULES, DomainSource.ASSISTANT, DomainSource.NEAREST)


@dataclass(frozen=True)
class Counted:
    """How many questions there are, and who put them there."""

    questions: int = 0
    file: int = 0
    machine: int = 0
    expert: int = 0
    unsure: int = 0
    answered: int = 0

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Branch:
    """A domain, how deep it lies in the tree, its share by weight among its siblings, and its questions."""

    domain: Domain
    depth: int
    share: float | None
    own: Counted
    below: Counted  # its own, and those of all domains under it

    @property
    def is_other(self) -> bool:
        """Tell whether it is the bucket for what belongs nowhere else."""
        return bool(self.domain.code == OTHER)

    @property
    def questions(self) -> int:
        """Return how many questions it has itself."""
        return self.own.questions

    @property
    def answered(self) -> int:
        """Return how many of its own questions have a trace."""
        return self.own.answered


def get_nodes(project: Project) -> list[Node]:
    """Return a project's domains as a tree of codes."""
    rows = Domain.objects.filter(project=project).values_list("code", "name", "parent__code", "weight")
    return [Node(code, name, parent or "", weight) for code, name, parent, weight in rows]


def get_taxonomy(project: Project) -> list[Branch]:
    """Return the domains as a tree read from top to bottom, with what is in each."""
    domains = {domain.code: domain for domain in Domain.objects.filter(project=project)}
    nodes, counts = get_nodes(project), _counts(project)
    shares = shares_of(nodes)
    below = {code: counts.get(domain.pk, Counted()) for code, domain in domains.items()}
    order = list(walk(nodes, last=OTHER))
    for node, _depth in reversed(order):  # children come after their parents
        if node.parent:
            below[node.parent] += below[node.code]
    return [
        Branch(
            domain := domains[node.code],
            depth,
            shares.get(node.code),
            counts.get(domain.pk, Counted()),
            below[node.code],
        )
        for node, depth in order
    ]


def _counts(project: Project) -> dict[int, Counted]:
    answered = Exists(Trace.objects.filter(question=OuterRef("pk")))
    rows = Question.objects.filter(project=project, domain__isnull=False).annotate(is_answered=answered)
    counted = (
        rows.order_by()
        .values("domain")
        .annotate(
            questions=Count("pk"),
            file=Count("pk", filter=Q(domain_source=DomainSource.FILE)),
            machine=Count("pk", filter=Q(domain_source__in=_MACHINES)),
            expert=Count("pk", filter=Q(domain_source=DomainSource.EXPERT)),
            unsure=Count("pk", filter=Q(domain_confidence__lt=LEAST_SURE)),
            answered=Count("pk", filter=Q(is_answered=True)),
        )
    )
    return {row.pop("domain"): Counted(**row) for row in counted}


@dataclass(frozen=True)
class Bin:
    """How many machine's labels are about as sure."""

    low: float
    high: float
    questions: int


def get_confidences(project: Project) -> list[Bin]:
    """Return how sure the machines are of their labels, in ten steps from 0 to 1; nothing where none is."""
    query = """
        select least(%s, floor(domain_confidence * %s))::int, count(*) from curator_question
        where project_id = %s and domain_confidence is not null group by 1
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [BINS - 1, BINS, project.pk])
        counts = dict(cursor.fetchall())
    if not counts:
        return []
    return [Bin(step / BINS, (step + 1) / BINS, counts.get(step, 0)) for step in range(BINS)]


def count_unlabelled(project: Project) -> int:
    """Return how many questions are in no domain."""
    return Question.objects.filter(project=project, domain__isnull=True).count()


def get_unsure(domain: Domain) -> "QuerySet[Question]":
    """Return a domain's questions that a machine put there, the least sure first."""
    rows: QuerySet[Question] = Question.objects.filter(domain=domain, domain_source__in=_MACHINES)
    return rows.only("text", "language", "domain_source", "domain_confidence").order_by(
        "domain_confidence", "pk"
    )[:UNSURE_SHOWN]


def get_classifications(project: Project, latest: int = 10) -> "QuerySet[Classification]":
    """Return a project's latest orders to sort its questions."""
    rows: QuerySet[Classification] = Classification.objects.filter(project=project)
    return rows.select_related("assistant", "embedder")[:latest]


def get_rule_book(project: Project) -> RuleBook:
    """Return a project's rules, ready to be looked for."""
    rules = DomainRule.objects.filter(domain__project=project).order_by("domain__code", "words")
    return RuleBook(
        [(phrase, key) for words, key in rules.values_list("words", "domain") for phrase in phrases_of(words)]
    )


@dataclass(frozen=True)
class Hits:
    """How many questions hold any of some phrases, how many of them are in no domain, and the first few."""

    questions: int
    unlabelled: int
    examples: tuple[tuple[int, str], ...]  # keys and texts


def get_rule_hits(domain: Domain) -> dict[int, int]:
    """Return how many questions of the project each of a domain's rules hits, by the rule's key."""
    rules = list(domain.rules.all())
    book = RuleBook([(phrase, rule.pk) for rule in rules for phrase in phrases_of(rule.words)])
    hits: Counter[int] = Counter({rule.pk: 0 for rule in rules})
    for _key, text, _labelled in _texts(domain.project):
        hits.update({book.phrases[place][1] for place, _start in book.hits(text)})
    return dict(hits)


def get_word_hits(project: Project, words: str) -> Hits:
    """Return what a rule of these words would hit."""
    book = RuleBook([(phrase, 0) for phrase in phrases_of(words)])
    found = [(key, text, labelled) for key, text, labelled in _texts(project) if book.hits(text)]
    examples = tuple((key, text) for key, text, _labelled in found[:HIT_EXAMPLES])
    return Hits(len(found), sum(not labelled for _key, _text, labelled in found), examples)


def _texts(project: Project) -> Iterator[tuple[int, str, bool]]:
    """Yield each question's key, its whole text, and whether it is in a domain."""
    rows = Question.objects.filter(project=project).order_by("pk")
    for key, text, options, domain in rows.values_list("pk", "text", "options", "domain").iterator(5000):
        yield key, full_text(text, options), domain is not None


def branches_of(taxonomy: Iterable[Domain]) -> dict[str, str]:
    """Return, for each domain's code, the code of the nearest branch above it that has a weight, or its own."""
    domains = {domain.pk: domain for domain in taxonomy}
    branches = {}
    for domain in domains.values():
        above: Domain | None = domain
        while above is not None and above.weight is None:
            above = domains.get(above.parent_id) if above.parent_id else None
        branches[domain.code] = above.code if above is not None else domain.code
    return branches
