"""Teachers, solvers and the other models of a project: who they are, and what teachers and solvers are asked."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Avg, Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from common.checks import checked
from common.core.chat import question_with_options
from common.core.refusal import Refusal
from common.core.text import neutralise
from common.encryption import encrypt
from common.endpoints import Prompt, Reply, check_address
from common.jobs import Watch, carried, unwatched
from common.models import Project, User
from curator.core.dataset import trace_hash
from curator.models import (
    Answering,
    Attempt,
    Collection,
    Endpoint,
    Probe,
    Question,
    Solver,
    Standing,
    Teacher,
    Trace,
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
)
from curator.services.marking import verdict_of

SAMPLE_FOR_ESTIMATE = 200
ASSUMED_THINKING_TOKENS = 4_700  # mean of s1K's traces, research figure of s1 (Gemini, Qwen2.5 tokens)


class Try(NamedTuple):
    """One of the tries of a question that a solver is to make."""

    question: Question
    sample: int


def create_teacher(*, project: Project, name: str, key: str = "", **fields: Any) -> Teacher:
    """Make a teacher known; as `create_endpoint`."""
    teacher: Teacher = create_endpoint(kind=Teacher, project=project, name=name, key=key, **fields)
    return teacher


def create_solver(*, project: Project, name: str, key: str = "", **fields: Any) -> Solver:
    """Make a solver known; as `create_endpoint`."""
    solver: Solver = create_endpoint(kind=Solver, project=project, name=name, key=key, **fields)
    return solver


def create_endpoint(
    *, kind: type[Endpoint], project: Project, name: str, key: str = "", **fields: Any
) -> Any:
    """Make a model known to a project; its key is encrypted and never shown again.

    Raises:
        Refusal: the address may not be called, a value is out of range, or the name is taken.
    """
    made: Any = kind(name=name, encrypted_key=encrypt(key), **fields)
    made.project = project
    return _saved(made, fields, force_insert=True)


def named_endpoint(*, kind: type[Endpoint], project: Project, name: str) -> Any:
    """Return a project's model of a kind by its name.

    Raises:
        Refusal: there is none; it names those that there are.
    """
    rows = kind._default_manager.filter(**{kind.project_path: project})
    found = rows.filter(name=name).first()
    if found is None:
        known = ", ".join(rows.values_list("name", flat=True)) or _("none")
        word = kind._meta.verbose_name
        raise Refusal(
            _("The project has no %(kind)s “%(name)s” (there is: %(known)s); add it on the teachers page.")
            % {"kind": word, "name": name, "known": known}
        )
    return found


def change_endpoint(*, endpoint: Endpoint, key: str = "", forget_key: bool = False, **fields: Any) -> None:
    """Change how a model is reached and what it costs; without a new key it keeps the one that it has.

    A key goes to no address but the one that it was entered for: another address forgets it.

    Raises:
        Refusal: as `create_endpoint`; or it has worked already and would become another model.
    """
    with transaction.atomic():
        kept = type(endpoint)._default_manager.select_for_update().get(pk=endpoint.pk)
        if kept.model and fields.get("model", kept.model) != kept.model and is_used(kept):
            raise Refusal(
                _("What %(name)s wrote is kept as the work of %(model)s; enter the other model as a new one.")
                % {"name": kept.name, "model": kept.model}
            )
        if key or forget_key or fields.get("base_url", kept.base_url) != kept.base_url:
            kept.encrypted_key = encrypt(key)
        for field, value in fields.items():
            setattr(kept, field, value)
        _saved(kept, fields)
    endpoint.refresh_from_db()


def _saved(endpoint: Any, fields: dict[str, Any], *, force_insert: bool = False) -> Any:
    if endpoint.base_url and "base_url" in fields:
        check_address(endpoint.base_url)
    checked(endpoint, "name", *(field for field in fields if field != "base_url"))
    try:
        with transaction.atomic():
            endpoint.save(force_insert=force_insert)
            return endpoint
    except IntegrityError as error:
        raise Refusal(
            _("There is one named %(name)s already; choose another name.") % {"name": endpoint.name}
        ) from error


def is_used(endpoint: Endpoint) -> bool:
    """Tell whether anything names a model: an order, an answer, a vector."""
    relations = [
        field
        for field in endpoint._meta.get_fields(include_hidden=True)
        if field.auto_created and not field.concrete and field.is_relation
    ]
    return any(
        field.related_model._default_manager.filter(**{field.field.name: endpoint}).exists()  # type: ignore[union-attr]
        for field in relations
    )


@transaction.atomic
def remove_endpoint(*, endpoint: Endpoint) -> None:
    """Forget a model that nothing names.

    Raises:
        Refusal: something does; what it wrote and what was spent on it are kept.
    """
    kept = type(endpoint)._default_manager.select_for_update().get(pk=endpoint.pk)
    if is_used(kept):
        raise Refusal(
            _("%(name)s has been asked or has traces, which are kept; it cannot be removed.")
            % {"name": kept.name}
        )
    kept.delete()


def unanswered(teacher: Teacher) -> "QuerySet[Question]":
    """Return the project's questions that this teacher has not answered, banned ones left out."""
    rows: QuerySet[Question] = (
        Question.objects.filter(project=teacher.project)
        .exclude(standing=Standing.BANNED)
        .exclude(traces__teacher=teacher)
        .order_by("pk")
    )
    return rows


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


def estimate_collection(*, teacher: Teacher, question_limit: int | None = None) -> Estimate:
    """Estimate an order from the teacher's own traces so far, or from s1's where it has none."""
    asked = unanswered(teacher)[:question_limit]
    questions, tokens_in = about_tokens(Question.objects.filter(pk__in=asked), "language", "text")
    known = Trace.objects.filter(teacher=teacher, finish_reason="stop")
    count, per_question = _mean_tokens(known)
    if count:
        basis = _("Mean of this teacher's last %(count)s traces.") % {"count": count}
    else:
        per_question = min(ASSUMED_THINKING_TOKENS, teacher.max_tokens)
        basis = _("No trace of this teacher yet: %(tokens)s tokens each, the mean of s1's traces.") % {
            "tokens": per_question
        }
    return estimate_of(
        teacher, questions=questions, tokens_in=tokens_in, tokens_out=per_question * questions, basis=basis
    )


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


def start_collection(
    *,
    teacher: Teacher,
    question_limit: int | None = None,
    max_cost_usd: Decimal | None = None,
    by: User | None,
) -> Collection:
    """Queue an order to a teacher.

    Raises:
        Refusal: the teacher has no address, a limit cannot be used, or an order to it is under way.
    """
    address_of(teacher)
    checked(
        Collection(question_limit=question_limit, max_cost_usd=max_cost_usd), "question_limit", "max_cost_usd"
    )
    with transaction.atomic():
        refuse_if_busy(teacher, teacher.collections.all())
        order: Collection = Collection.objects.create(
            project=teacher.project,
            teacher=teacher,
            question_limit=question_limit,
            max_cost_usd=max_cost_usd,
            created_by=by,
        )
    return order


def start_probe(
    *, solver: Solver, samples: int = 1, max_cost_usd: Decimal | None = None, by: User | None
) -> Probe:
    """Queue an order to a solver.

    Raises:
        Refusal: the solver has no address, a number cannot be used, or an order to it is under way.
    """
    address_of(solver)
    checked(Probe(samples=samples, max_cost_usd=max_cost_usd), "samples", "max_cost_usd")
    with transaction.atomic():
        refuse_if_busy(solver, solver.probes.all())
        order: Probe = Probe.objects.create(
            project=solver.project, solver=solver, samples=samples, max_cost_usd=max_cost_usd, created_by=by
        )
    return order


def run_collection(*, job: Collection, watch: Watch = unwatched) -> None:
    """Ask the teacher what it has not answered; each answer is stored as it comes.

    Raises:
        AlreadyClaimed: another worker has the order.
        LimitReached: the money is used up; what was received is stored.
        EndpointFailed: the endpoint is down; what was received is stored.
    """
    with carried(job):
        questions = unanswered(job.teacher)
        left = None if job.question_limit is None else max(0, job.question_limit - job.stored)
        wanted = questions.count() if left is None else min(left, questions.count())
        ask_all(
            job=job,
            endpoint=job.teacher,
            items=islice(by_key(questions), wanted),
            wanted=wanted,
            prompt_of=_prompt_of,
            store=lambda received: _store_trace(job, received),
            watch=watch,
        )


def run_probe(*, job: Probe, watch: Watch = unwatched) -> None:
    """Let the solver try each question as often as ordered; each try is stored as it comes.

    Raises:
        AlreadyClaimed: another worker has the order.
        LimitReached, EndpointFailed: as `run_collection`.
    """
    with carried(job):
        ask_all(
            job=job,
            endpoint=job.solver,
            items=_tries(job.solver, job.samples),
            wanted=_missing_tries(job.solver, job.samples),
            prompt_of=lambda each: _prompt_of(each.question),
            store=lambda received: _store_attempt(job, received),
            watch=watch,
        )


def _prompt_of(question: Question) -> Prompt:
    return Prompt(question_with_options(question.text, tuple(question.options)))


def _tries(solver: Solver, samples: int) -> Iterator[Try]:
    """Yield the tries that are missing, question by question."""
    questions, last = unattempted(solver, samples), 0
    while batch := list(questions.filter(pk__gt=last)[:BATCH]):
        rows = Attempt.objects.filter(solver=solver, question__in=batch, sample__lt=samples)
        there = set(rows.values_list("question_id", "sample"))
        for question in batch:
            for sample in range(samples):
                if (question.pk, sample) not in there:
                    yield Try(question, sample)
        last = batch[-1].pk


def _store_trace(job: Collection, received: Received[Question]) -> Settled:
    question, clean = _as_asked(received.item), _neutralised(received.reply)
    if question is None:
        return Settled.GONE
    trace = Trace(
        question=question,
        teacher=job.teacher,
        collection=job,
        content_hash=trace_hash(clean.thinking, clean.answer),
        neutralised=(clean.thinking, clean.answer) != (received.reply.thinking, received.reply.answer),
        **_answering(question, clean, received.cost_usd),
    )
    return _settle(trace)


def _store_attempt(job: Probe, received: Received[Try]) -> Settled:
    question, sample = _as_asked(received.item.question), received.item.sample
    if question is None:
        return Settled.GONE
    fields = _answering(question, _neutralised(received.reply), received.cost_usd)
    return _settle(Attempt(question=question, solver=job.solver, probe=job, sample=sample, **fields))


def _as_asked(asked: Question) -> Question | None:
    """Return a question as it is now, held so to the end of the transaction; None if it is another now, or gone."""
    rows = Question.objects.select_for_update(no_key=True)
    found: Question | None = rows.filter(pk=asked.pk, content_hash=asked.content_hash).first()
    return found


def _settle(answering: Answering) -> Settled:
    """Store an answer, unless a worker that was thought dead, or a file, has brought one in its place."""
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
