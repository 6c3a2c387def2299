"""Teachers and solvers: who answers the pool, what it will cost, and the answering itself."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Avg, Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.chat import question_with_options
from common.core.refusal import Refusal
from common.core.text import neutralise
from common.encryption import decrypt, encrypt
from common.endpoints import Address, EndpointFailed, Reply, ask, check_address, client
from common.jobs import Pulse, Watch, carried, unwatched
from common.models import Project, User
from curator.core.dataset import trace_hash
from curator.models import Attempt, Collection, Endpoint, Probe, Question, Solver, Standing, Teacher, Trace
from curator.services.marking import verdict_of

SAMPLE_FOR_ESTIMATE = 200
ASSUMED_THINKING_TOKENS = 4_700  # mean of s1K's traces, research figure of s1 (Gemini, Qwen2.5 tokens)
FAILURES_IN_A_ROW = 10  # an endpoint that fails so often is down: stop, and say so
BATCH = 500


class LimitReached(Refusal):
    """The money limit of an order or of its project is used up."""


@dataclass(frozen=True)
class Estimate:
    """What an order will ask and cost, and how that was computed."""

    questions: int
    tokens: int
    usd: Decimal
    basis: str


def create_teacher(*, project: Project, name: str, key: str = "", **fields: Any) -> Teacher:
    """Make a teacher known; its key is encrypted and never shown again.

    Raises:
        Refusal: the address may not be called, a value is out of range, or the name is taken.
    """
    teacher: Teacher = _create(Teacher, project, name, key, fields)
    return teacher


def create_solver(*, project: Project, name: str, key: str = "", **fields: Any) -> Solver:
    """Make a solver known; as `create_teacher`."""
    solver: Solver = _create(Solver, project, name, key, fields)
    return solver


def _create(kind: type[Endpoint], project: Project, name: str, key: str, fields: dict[str, Any]) -> Any:
    if fields.get("base_url"):
        check_address(fields["base_url"])
    made: Any = kind(name=name, encrypted_key=encrypt(key), **fields)
    made.project = project
    checked(made, "name", *(field for field in fields if field != "base_url"))
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            return made
    except IntegrityError as error:
        raise Refusal(
            _("There is one named %(name)s already; choose another name.") % {"name": name}
        ) from error


def address_of(endpoint: Endpoint) -> Address:
    """Return how a teacher or solver is reached.

    Raises:
        Refusal: it has no address, so that its traces can only be imported.
    """
    if not endpoint.base_url:
        raise Refusal(
            _("%(name)s has no address; enter one, or import its traces.") % {"name": endpoint.name}
        )
    return Address(
        name=endpoint.name,
        base_url=endpoint.base_url,
        model=endpoint.model,
        key=decrypt(bytes(endpoint.encrypted_key)),
        max_tokens=endpoint.max_tokens,
        temperature=endpoint.temperature,
    )


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
    """Return the project's questions with a key that this solver has tried fewer than `samples` times."""
    rows: QuerySet[Question] = (
        Question.objects.filter(project=solver.project)
        .exclude(standing=Standing.BANNED)
        .exclude(key="")
        .annotate(tries=Count("attempts", filter=Q(attempts__solver=solver)))
        .filter(tries__lt=samples)
        .order_by("pk")
    )
    return rows


def estimate_collection(*, teacher: Teacher, question_limit: int | None = None) -> Estimate:
    """Estimate an order from the teacher's own traces so far, or from s1's where it has none."""
    questions = unanswered(teacher).count()
    questions = min(questions, question_limit) if question_limit is not None else questions
    known = Trace.objects.filter(teacher=teacher, finish_reason="stop").order_by("-pk")[:SAMPLE_FOR_ESTIMATE]
    means = Trace.objects.filter(pk__in=list(known.values_list("pk", flat=True))).aggregate(
        thinking=Avg("thinking_tokens"), answer=Avg("answer_tokens"), count=Count("pk")
    )
    if means["count"]:
        per_question = round(means["thinking"] + means["answer"])
        basis = _("Mean of this teacher's last %(count)s traces.") % {"count": means["count"]}
    else:
        per_question = min(ASSUMED_THINKING_TOKENS, teacher.max_tokens)
        basis = _("No trace of this teacher yet: %(tokens)s tokens each, the mean of s1's traces.") % {
            "tokens": per_question
        }
    tokens = per_question * questions
    return Estimate(questions, tokens, teacher.price_out_usd * tokens / Decimal(1_000_000), basis)


def spent_usd(project: Project) -> Decimal:
    """Return what teachers and solvers have cost this project so far."""
    traces = Trace.objects.filter(question__project=project).aggregate(usd=Sum("cost_usd"))["usd"]
    attempts = Attempt.objects.filter(question__project=project).aggregate(usd=Sum("cost_usd"))["usd"]
    return (traces or Decimal(0)) + (attempts or Decimal(0))


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
        Teacher.objects.select_for_update().get(pk=teacher.pk)  # a double click makes one order
        if teacher.collections.filter(state__in=["queued", "running"]).exists():
            raise Refusal(
                _("%(name)s is being asked already; wait, or cancel that order.") % {"name": teacher.name}
            )
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
        Solver.objects.select_for_update().get(pk=solver.pk)
        if solver.probes.filter(state__in=["queued", "running"]).exists():
            raise Refusal(
                _("%(name)s is being asked already; wait, or cancel that order.") % {"name": solver.name}
            )
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

    def store(question: Question, reply: Reply) -> None:
        clean = _neutralised(reply)
        Trace.objects.create(
            question=question,
            teacher=job.teacher,
            collection=job,
            content_hash=trace_hash(clean.thinking, clean.answer),
            neutralised=any(neutralise(text)[1] for text in (reply.thinking, reply.answer)),
            **_answering(question, clean, job.teacher),
        )

    with carried(job):
        _count_again(job, job.traces.all())
        questions = unanswered(job.teacher)
        left = None if job.question_limit is None else max(0, job.question_limit - job.stored)
        wanted = questions.count() if left is None else min(left, questions.count())
        _ask_all(job, job.teacher, islice(_in_batches(questions), wanted), wanted, store, watch)


def run_probe(*, job: Probe, watch: Watch = unwatched) -> None:
    """Let the solver try each question as often as ordered; each try is stored as it comes.

    Raises:
        AlreadyClaimed: another worker has the order.
        LimitReached, EndpointFailed: as `run_collection`.
    """

    def store(question: Question, reply: Reply) -> None:
        sample = Attempt.objects.filter(question=question, solver=job.solver).count()
        fields = _answering(question, _neutralised(reply), job.solver)
        Attempt.objects.create(question=question, solver=job.solver, probe=job, sample=sample, **fields)

    with carried(job):
        _count_again(job, job.attempts.all())
        for _round in range(job.samples):
            questions = unattempted(job.solver, job.samples)
            _ask_all(job, job.solver, _in_batches(questions), questions.count(), store, watch)


def _count_again(job: Any, answers: "QuerySet[Any]") -> None:
    """Count an order's answers and their price from the rows: an earlier worker may have died before it did."""
    kept = answers.aggregate(stored=Count("pk"), usd=Sum("cost_usd"))
    job.stored, job.cost_usd = kept["stored"], kept["usd"] or Decimal(0)
    job.asked = max(job.asked, job.stored + job.failed)


def _in_batches(questions: "QuerySet[Question]") -> Iterator[Question]:
    """Yield each question once, by key, while answers are being stored beside."""
    last = 0
    while batch := list(questions.filter(pk__gt=last)[:BATCH]):
        yield from batch
        last = batch[-1].pk


def _neutralised(reply: Reply) -> Reply:
    """Return a reply with its text made harmless."""
    return replace(reply, thinking=neutralise(reply.thinking)[0], answer=neutralise(reply.answer)[0])


def _answering(question: Question, reply: Reply, endpoint: Endpoint) -> dict[str, Any]:
    """Return a reply as columns, marked against the key."""
    return {
        "thinking": reply.thinking,
        "answer": reply.answer,
        "thinking_tokens": reply.thinking_tokens,
        "answer_tokens": reply.answer_tokens,
        "tokens_counted_by": reply.tokens_counted_by,
        "finish_reason": reply.finish_reason[:40],
        "cost_usd": reply.cost(price_in_usd=endpoint.price_in_usd, price_out_usd=endpoint.price_out_usd),
        **verdict_of(question, reply.answer),
    }


def _ask_all(
    job: Any,
    endpoint: Endpoint,
    questions: Iterable[Question],
    wanted: int,
    store: Callable[[Question, Reply], None],
    watch: Watch,
) -> None:
    """Keep as many questions in flight as the endpoint takes; store, count and pay as answers come."""
    address, pulse = address_of(endpoint), Pulse(job, watch)
    purse = _Purse(job, endpoint)
    waiting = iter(questions)
    in_flight: dict[Future[Reply], Question] = {}
    failures_in_a_row = answered = 0
    last_failure: BaseException | None = None
    with client(address) as opened, ThreadPoolExecutor(endpoint.max_in_flight) as pool:
        try:
            while True:
                while len(in_flight) < endpoint.max_in_flight and purse.allows(len(in_flight)):
                    question = next(waiting, None)
                    if question is None:
                        break
                    purse.reserve(len(in_flight))
                    prompt = question_with_options(question.text, tuple(question.options))
                    in_flight[pool.submit(ask, opened, address, prompt)] = question
                    job.asked += 1
                if not in_flight:
                    break
                done, _not_done = wait(in_flight, timeout=1, return_when=FIRST_COMPLETED)
                for future in done:
                    stored = _settle(job, future, in_flight.pop(future), store, purse)
                    failures_in_a_row = 0 if stored else failures_in_a_row + 1
                    answered += 1
                    if not stored:
                        last_failure = future.exception()
                    _give_up_if_down(future, failures_in_a_row)
                pulse(answered, wanted, cost_usd=purse.spent)
        finally:
            _settle_rest(job, pool, in_flight, store, purse)
            _keep_counts(job, purse)
    if last_failure is not None and not job.stored:  # an order that brought nothing is not done
        raise last_failure


def _settle(
    job: Any,
    future: "Future[Reply]",
    question: Question,
    store: Callable[[Question, Reply], None],
    purse: "_Purse",
) -> bool:
    """Store one answer, or count it as failed; return whether there was one."""
    if isinstance(future.exception(), EndpointFailed):
        job.failed += 1
        return False
    reply = future.result()
    store(question, reply)
    job.stored += 1
    purse.pay(reply)
    return True


def _give_up_if_down(future: "Future[Reply]", failures_in_a_row: int) -> None:
    if failures_in_a_row >= FAILURES_IN_A_ROW:
        raise future.exception() or AssertionError


def _settle_rest(
    job: Any,
    pool: ThreadPoolExecutor,
    in_flight: "dict[Future[Reply], Question]",
    store: Callable[[Question, Reply], None],
    purse: "_Purse",
) -> None:
    """Whatever ended the order: answers that are on their way are paid for, so they are stored."""
    pool.shutdown(wait=True, cancel_futures=True)
    for future, question in in_flight.items():
        if not future.cancelled():
            _settle(job, future, question, store, purse)


def _keep_counts(job: Any, purse: "_Purse") -> None:
    fields = {"asked": job.asked, "stored": job.stored, "failed": job.failed, "cost_usd": purse.spent}
    type(job).objects.filter(pk=job.pk).update(**fields)


class _Purse:
    """What an order has spent and may still spend, the answers in flight counted at their dearest."""

    def __init__(self, job: Any, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.spent: Decimal = job.cost_usd
        self.project_left = job.project.money_limit_usd - spent_usd(job.project)
        self.order_left = None if job.max_cost_usd is None else job.max_cost_usd - job.cost_usd
        self.dearest = endpoint.price_out_usd * endpoint.max_tokens / Decimal(1_000_000)

    def allows(self, in_flight: int) -> bool:
        """Tell whether another may go out beside those in flight, or waits, as they may cost less than they could."""
        lefts = [left for left in (self.project_left, self.order_left) if left is not None]
        return not in_flight or not self.dearest or min(lefts) >= self.dearest * (in_flight + 1)

    def reserve(self, in_flight: int) -> None:
        """Refuse another question if it and those in flight could together pass a limit."""
        needed = self.dearest * (in_flight + 1)
        if needed and self.project_left < needed:
            raise LimitReached(
                _("The project's money limit is used up; its owner can raise it in the settings.")
            )
        if needed and self.order_left is not None and self.order_left < needed:
            raise LimitReached(
                _("The order's limit of %(usd)s USD is used up; start another.")
                % {"usd": f"{self.order_left + self.spent:.2f}"}
            )

    def pay(self, reply: Reply) -> None:
        """Take the price of one reply."""
        price = reply.cost(price_in_usd=self.endpoint.price_in_usd, price_out_usd=self.endpoint.price_out_usd)
        self.spent += price
        self.project_left -= price
        if self.order_left is not None:
            self.order_left -= price
