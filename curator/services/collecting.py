"""What teachers and solvers are asked, and what of it is kept."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Avg, Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum, When
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from common.checks import checked
from common.core.chat import question_with_options
from common.core.text import neutralise
from common.endpoints import Prompt, Reply
from common.jobs import Watch, carried, unwatched
from common.models import Project, User
from curator.core.dataset import trace_hash
from curator.core.quality import CUT
from curator.models import (
    Answering,
    Attempt,
    Collection,
    Probe,
    Question,
    Solver,
    Standing,
    Teacher,
    Trace,
    Verdict,
)
from curator.services.asking import (
    BATCH,
    Estimate,
    Received,
    Settled,
    about_tokens,
    address_of,
    ask_all,
    by_key,
    estimate_of,
    refuse_if_busy,
    through,
)
from curator.services.marking import verdict_of
from curator.services.purse import refuse_without_room

SAMPLE_FOR_ESTIMATE = 200
SAMPLE_THAT_SUFFICES = 20  # traces of missed questions, which are longer than those of all
ASSUMED_THINKING_TOKENS = 4_700  # mean of s1K's traces, research figure of s1 (Gemini, Qwen2.5 tokens)


class Try(NamedTuple):
    """One of the tries of a question that a solver is to make."""

    question: Question
    sample: int


def unanswered(
    teacher: Teacher, most_pass_rate: float | None = None, cut_again: bool = False
) -> "QuerySet[Question]":
    """Return the project's questions that this teacher has not answered, banned ones left out.

    With `most_pass_rate`, from 0 to 1, those alone that solvers have tried and got right in at most this share. With
    `cut_again`, also those whose every trace was cut off before it had the tokens that the teacher now allows.

    Source: m1 (arXiv 2504.00869), which filters by difficulty before it asks for traces.
    """
    answered = Trace.objects.filter(teacher=teacher, question=OuterRef("pk"))
    if cut_again:
        tokens = F("thinking_tokens") + F("answer_tokens")
        short = Q(finish_reason__in=CUT, tokens__lt=teacher.max_tokens)
        answered = answered.annotate(tokens=tokens).exclude(short)
    rows: QuerySet[Question] = (
        Question.objects.filter(project=teacher.project)
        .exclude(standing=Standing.BANNED)
        .filter(~Exists(answered))
        .order_by("pk")
    )
    return rows if most_pass_rate is None else rows.filter(pk__in=missed(teacher.project, most_pass_rate))


def tried(project: Project) -> "QuerySet[Any, Any]":
    """Return the keys of the questions that solvers have tried, as `question`, each once.

    A try that no key could mark says nothing of how hard a question is.
    """
    marked = Attempt.objects.filter(question__project=project).exclude(verdict=Verdict.UNKEYED)
    return marked.order_by().values("question").distinct()


def missed(project: Project, most_pass_rate: float) -> "QuerySet[Any, Any]":
    """Return of `tried` those that solvers got right in at most this share of their tries."""
    share_right = Avg(Case(When(verdict=Verdict.RIGHT, then=1.0), default=0.0))
    found = tried(project).annotate(share=share_right).filter(share__lte=most_pass_rate)
    keys: QuerySet[Any, Any] = found.values("question")
    return keys


def unattempted(solver: Solver, samples: int) -> "QuerySet[Question]":
    """Return the project's questions with a key that lack one of this solver's first `samples` tries.

    Each carries as `tries` how many of them it has.
    """
    tried = Count("attempts", filter=Q(attempts__solver=solver, attempts__sample__lt=samples))
    rows: QuerySet[Question] = (
        Question.objects.filter(project=solver.project)
        .exclude(standing=Standing.BANNED)
        .exclude(key="")
        .annotate(tries=tried)
        .filter(tries__lt=samples)
        .order_by("pk")
    )
    return rows


def _missing_tries(solver: Solver, samples: int) -> int:
    """Return how many tries `unattempted` lacks in all."""
    sums = unattempted(solver, samples).aggregate(questions=Count("pk"), there=Sum("tries"))
    return int(sums["questions"] * samples - (sums["there"] or 0))


def estimate_collection(
    *,
    teacher: Teacher,
    question_limit: int | None = None,
    most_pass_rate: float | None = None,
    cut_again: bool = False,
) -> Estimate:
    """Estimate an order from the teacher's own traces so far, or from s1's where it has none."""
    asked = unanswered(teacher, most_pass_rate, cut_again)[:question_limit]
    questions, tokens_in = about_tokens(Question.objects.filter(pk__in=asked), "language", "text")
    per_question, basis = _tokens_per_trace(teacher, most_pass_rate)
    return estimate_of(
        teacher, questions=questions, tokens_in=tokens_in, tokens_out=per_question * questions, basis=basis
    )


def _tokens_per_trace(teacher: Teacher, most_pass_rate: float | None) -> tuple[int, str]:
    """Return how long the teacher's traces are, and in a sentence how that is known.

    What solvers miss is thought about for longer, so it has a mean of its own where there are enough such traces.
    """
    known = Trace.objects.filter(teacher=teacher).exclude(finish_reason__in=CUT)
    if most_pass_rate is not None:
        count, mean = _mean_tokens(known.filter(question__in=missed(teacher.project, most_pass_rate)))
        if count >= SAMPLE_THAT_SUFFICES:
            return mean, _("Mean of this teacher's last %(count)s traces of such questions.") % {
                "count": count
            }
    count, mean = _mean_tokens(known)
    if count:
        return mean, _("Mean of this teacher's last %(count)s traces.") % {"count": count}
    if teacher.max_tokens < ASSUMED_THINKING_TOKENS:
        sentence = _("No trace of this teacher yet: %(tokens)s tokens each, which is its limit.")
        return teacher.max_tokens, sentence % {"tokens": teacher.max_tokens}
    sentence = _("No trace of this teacher yet: %(tokens)s tokens each, the mean of s1's traces.")
    return ASSUMED_THINKING_TOKENS, sentence % {"tokens": ASSUMED_THINKING_TOKENS}


def estimate_probe(*, solver: Solver, samples: int = 1) -> Estimate:
    """Estimate an order from the solver's own tries so far, or from its limit where it has none.

    What it calls questions are tries.
    """
    tries = _missing_tries(solver, samples)
    questions, tokens_in = about_tokens(
        Question.objects.filter(project=solver.project).exclude(key=""), "language", "text"
    )
    count, per_try = _mean_tokens(Attempt.objects.filter(solver=solver))
    if count:
        basis = _("Mean of this solver's last %(count)s tries.") % {"count": count}
    else:
        per_try = solver.max_tokens
        basis = _("No try of this solver yet: its limit of %(tokens)s tokens each, so it costs less.") % {
            "tokens": per_try
        }
    each_in = tokens_in / questions if questions else 0  # of all questions: those not tried are like them
    return estimate_of(
        solver, questions=tries, tokens_in=round(each_in * tries), tokens_out=per_try * tries, basis=basis
    )


def _mean_tokens(answers: "QuerySet[Any]") -> tuple[int, int]:
    """Return how many of the latest answers there are, and their tokens on average."""
    latest = list(answers.order_by("-pk").values_list("pk", flat=True)[:SAMPLE_FOR_ESTIMATE])
    means = answers.filter(pk__in=latest).aggregate(
        thinking=Avg("thinking_tokens"), answer=Avg("answer_tokens")
    )
    return len(latest), round((means["thinking"] or 0) + (means["answer"] or 0))


def first_of_collection(
    *,
    teacher: Teacher,
    question_limit: int | None = None,
    most_pass_rate: float | None = None,
    cut_again: bool = False,
) -> Prompt | None:
    """Return what an order would ask first; None where there is nothing to ask. Takes what `estimate_collection` takes."""
    first = unanswered(teacher, most_pass_rate, cut_again)[:question_limit].first()
    return _prompt_of(first) if first else None


def first_of_probe(*, solver: Solver, samples: int = 1) -> Prompt | None:
    """Return what a solver would be asked first; None where no try is lacking."""
    first = unattempted(solver, samples).first()
    return _prompt_of(first) if first else None


def start_collection(
    *,
    teacher: Teacher,
    question_limit: int | None = None,
    most_pass_rate: float | None = None,
    cut_again: bool = False,
    max_cost_usd: Decimal | None = None,
    by: User | None,
) -> Collection:
    """Queue an order to a teacher.

    With `cut_again`, a question whose traces were all cut off is asked again, for as many tokens as the teacher now
    allows; the cut ones stay.

    Raises:
        Refusal: the teacher has no address, a limit cannot be used, or an order to it is under way.
        LimitReached: a limit has no room for a single answer.
    """
    address_of(teacher)
    limits = {
        "question_limit": question_limit,
        "most_pass_rate": most_pass_rate,
        "max_cost_usd": max_cost_usd,
    }
    checked(Collection(**limits), *limits)
    with transaction.atomic():
        refuse_if_busy(teacher, teacher.collections.all())
        first = first_of_collection(teacher=teacher, most_pass_rate=most_pass_rate, cut_again=cut_again)
        refuse_without_room(endpoint=teacher, prompt=first, max_cost_usd=max_cost_usd)
        order: Collection = Collection.objects.create(
            project=teacher.project,
            teacher=teacher,
            cut_again=cut_again,
            created_by=by,
            **limits,
        )
    return order


def start_probe(
    *, solver: Solver, samples: int = 1, max_cost_usd: Decimal | None = None, by: User | None
) -> Probe:
    """Queue an order to a solver.

    Raises:
        Refusal: the solver has no address, a number cannot be used, or an order to it is under way.
        LimitReached: a limit has no room for a single try.
    """
    address_of(solver)
    checked(Probe(samples=samples, max_cost_usd=max_cost_usd), "samples", "max_cost_usd")
    with transaction.atomic():
        refuse_if_busy(solver, solver.probes.all())
        first = first_of_probe(solver=solver, samples=samples)
        refuse_without_room(endpoint=solver, prompt=first, max_cost_usd=max_cost_usd)
        order: Probe = Probe.objects.create(
            project=solver.project, solver=solver, samples=samples, max_cost_usd=max_cost_usd, created_by=by
        )
    return order


def run_collection(*, job: Collection, watch: Watch = unwatched) -> None:
    """Ask the teacher what it has not answered; each answer is stored as it comes.

    Where a limit has no room for another answer, it rests.

    Raises:
        AlreadyClaimed: another worker has the order.
        EndpointFailed: the endpoint is down; what was received is stored.
    """
    with carried(job):
        questions = unanswered(job.teacher, job.most_pass_rate, job.cut_again)
        left = None if job.question_limit is None else max(0, job.question_limit - job.stored)
        wanted = questions.count() if left is None else min(left, questions.count())
        ask_all(
            job=job,
            endpoint=job.teacher,
            items=islice(by_key(questions), wanted),
            wanted=wanted,
            prompt_of=_prompt_of,
            store=lambda received: _store_traces(job, received),
            watch=watch,
        )


def run_probe(*, job: Probe, watch: Watch = unwatched) -> None:
    """Let the solver try each question as often as ordered; each try is stored as it comes.

    Raises:
        AlreadyClaimed: another worker has the order.
        EndpointFailed: as `run_collection`.
    """
    with carried(job):
        ask_all(
            job=job,
            endpoint=job.solver,
            items=_tries(job.solver, job.samples),
            wanted=_missing_tries(job.solver, job.samples),
            prompt_of=lambda each: _prompt_of(each.question),
            sample_of=lambda each: str(each.sample),
            store=lambda received: _store_attempts(job, received),
            watch=watch,
        )


def _prompt_of(question: Question) -> Prompt:
    return Prompt(question_with_options(question.text, tuple(question.options)))


def _tries(solver: Solver, samples: int) -> Iterator[Try]:
    """Yield the tries that are missing, question by question."""
    questions = unattempted(solver, samples)
    for batch in _batches(questions):
        rows = Attempt.objects.filter(solver=solver, question__in=batch, sample__lt=samples)
        there = set(through(lambda: list(rows.values_list("question_id", "sample"))))  # noqa: B023
        for question in batch:
            for sample in range(samples):
                if (question.pk, sample) not in there:
                    yield Try(question, sample)


def _batches(questions: "QuerySet[Question]") -> Iterator[list[Question]]:
    rows = by_key(questions)
    while batch := list(islice(rows, BATCH)):
        yield batch


def _store_traces(job: Collection, received: Sequence[Received[Question]]) -> list[Settled]:
    """Make traces of replies, each marked against the key."""
    as_asked = _as_asked([each.item for each in received])
    samples = _next_samples(job.teacher, as_asked) if job.cut_again else {}
    traces = [
        _trace(job, as_asked[each.item.pk], each, samples.get(each.item.pk, 0))
        if each.item.pk in as_asked
        else None
        for each in received
    ]
    return _settle(traces)


def _next_samples(teacher: Teacher, questions: Iterable[int]) -> dict[int, int]:
    """Return of the questions that a teacher has answered before which sample its next trace is."""
    there = Trace.objects.filter(teacher=teacher, question__in=questions).order_by()
    return {key: last + 1 for key, last in there.values_list("question").annotate(last=Max("sample"))}


def _trace(job: Collection, question: Question, received: Received[Question], sample: int) -> Trace:
    reply, clean = received.reply, _neutralised(received.reply)
    return Trace(
        question=question,
        teacher=job.teacher,
        sample=sample,
        collection=job,
        content_hash=trace_hash(clean.thinking, clean.answer),
        neutralised=(clean.thinking, clean.answer) != (reply.thinking, reply.answer),
        is_summary=reply.is_summary,
        terms=job.teacher.terms,
        **_answering(question, clean, received.cost_usd),
    )


def _store_attempts(job: Probe, received: Sequence[Received[Try]]) -> list[Settled]:
    """Make attempts of replies, each marked against the key."""
    as_asked = _as_asked([each.item.question for each in received])
    attempts: list[Attempt | None] = []
    for each in received:
        question = as_asked.get(each.item.question.pk)
        fields = question and _answering(question, _neutralised(each.reply), each.cost_usd)
        attempts.append(
            Attempt(question=question, solver=job.solver, probe=job, sample=each.item.sample, **fields)
            if fields
            else None
        )
    return _settle(attempts)


def _as_asked(asked: Sequence[Question]) -> dict[int, Question]:
    """Return by key the questions that are still as they were asked, held so to the end of the transaction."""
    rows = Question.objects.select_for_update(no_key=True).order_by("pk")
    there = {question.pk: question for question in rows.filter(pk__in={each.pk for each in asked})}
    return {
        each.pk: there[each.pk]
        for each in asked
        if each.pk in there and there[each.pk].content_hash == each.content_hash
    }


def _settle(answerings: Sequence[Answering | None]) -> list[Settled]:
    """Store answers at once, or one by one where one of them is there already."""
    made = [each for each in answerings if each is not None]
    try:
        with transaction.atomic():
            if made:
                type(made[0]).objects.bulk_create(made)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        return [Settled.GONE if each is None else _settle_one(each) for each in answerings]
    return [Settled.GONE if each is None else Settled.STORED for each in answerings]


def _settle_one(answering: Answering) -> Settled:
    """Store an answer, unless a worker that was thought dead, or a file, has brought one in its place."""
    answering.pk = None
    try:
        with transaction.atomic():
            answering.save(force_insert=True)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        return Settled.ALREADY
    return Settled.STORED


def _neutralised(reply: Reply) -> Reply:
    """Return a reply with its text made harmless."""
    return replace(reply, thinking=neutralise(reply.thinking)[0], answer=neutralise(reply.answer)[0])


def _answering(question: Question, reply: Reply, cost_usd: Decimal) -> dict[str, Any]:
    """Return a reply as columns, marked against the key."""
    return {
        "thinking": reply.thinking,
        "answer": reply.answer,
        "thinking_tokens": reply.thinking_tokens,
        "answer_tokens": reply.answer_tokens,
        "tokens_counted_by": reply.tokens_counted_by,
        "finish_reason": reply.finish_reason[:40],
        "cost_usd": cost_usd,
        **verdict_of(question, reply.answer),
    }
