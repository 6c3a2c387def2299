"""Questions as vectors: what an embedding model has not seen yet is asked for, kept and paid for once."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Case, Count, Exists, F, FloatField, OuterRef, QuerySet, Sum, When
from django.db.models.functions import Greatest, Length
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from common.core.refusal import Refusal
from common.embeddings import BatchRefused, Embedded, embed
from common.endpoints import EndpointFailed, Line, client
from common.jobs import Paused, Pulse, Watch, unwatched
from common.models import Project
from curator.core.classification import full_text
from curator.models import Embedder, Embedding, Question, Standing
from curator.services.asking import Estimate, address_of
from curator.services.purse import LimitReached, Purse

BATCH_TEXTS = 64
BATCH_BYTES = 128 * 1024
SHORTENINGS = 3  # a text that is too long for the model is halved so often before it counts as failed
FAILURES_IN_A_ROW = 3  # batches, each tried several times by the client: the endpoint is down
_READ_AT_ONCE = 500
_SIGNATURE_BYTES = 19  # of PostgreSQL's binary COPY: its name, flags, and the length of what follows

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class _Batch:
    """Questions that go out together."""

    questions: tuple[Question, ...]
    texts: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """Return the size of its texts; no tokenizer makes more tokens than there are bytes."""
        return sum(len(text.encode()) for text in self.texts)


@dataclass(frozen=True)
class _Outcome:
    """The vectors of a batch's texts, None where the endpoint took a text at no length, and their price."""

    vectors: tuple[Vectors | None, ...]
    cost_usd: Decimal
    refusal: str = ""


def unembedded(project: Project, embedder: Embedder) -> "QuerySet[Question]":
    """Return the questions that this model has not seen, or not as they are now; banned ones left out."""
    seen = Embedding.objects.filter(
        question=OuterRef("pk"), embedder=embedder, content_hash=OuterRef("content_hash")
    )
    rows: QuerySet[Question] = Question.objects.filter(project=project).exclude(standing=Standing.BANNED)
    return rows.filter(~Exists(seen)).order_by("pk")


def estimate_embedding(*, project: Project, embedder: Embedder) -> Estimate:
    """Estimate from the lengths of the texts what it takes to embed all that is left."""
    per_token = Case(When(language="zh", then=1.5), default=4.0, output_field=FloatField())
    sums = unembedded(project, embedder).aggregate(
        questions=Count("pk"), tokens=Sum(Length("text") / per_token, output_field=FloatField())
    )
    tokens = round(sums["tokens"] or 0)
    usd = embedder.price_in_usd * tokens / Decimal(1_000_000)
    basis = _("From the lengths of the texts: 4 Latin characters or 1.5 Chinese ones a token.")
    return Estimate(sums["questions"], tokens, usd, basis)


def first_batch_usd(*, project: Project, embedder: Embedder) -> Decimal:
    """Return what the first request may cost; 0 where the model has seen everything."""
    first = next(_batches(unembedded(project, embedder)), None)
    return _dearest_usd(embedder, first) if first else Decimal(0)


def _dearest_usd(embedder: Embedder, batch: _Batch) -> Decimal:
    """Return what a batch costs at most."""
    return embedder.price_in_usd * batch.size_bytes / Decimal(1_000_000)


def embed_questions(*, job: Any, embedder: Embedder, watch: Watch = unwatched) -> int:
    """Embed what the model has not seen of the job's project; return how many texts it did not take.

    Every batch is kept as it comes, with its price on the job; what is kept is not asked for again.
    A text that is too long for the model is embedded by its beginning.

    Raises:
        Paused: a limit has no room for another batch; what was received is kept.
        EndpointFailed: the endpoint is down; what was received is kept.
        Refusal: the model gives vectors of another length than before.
    """
    questions = unembedded(job.project, embedder)
    order = _Order(job, embedder, total=questions.count(), pulse=Pulse(job, watch))
    if not order.total:
        return 0
    address = address_of(embedder)
    order.beat()
    try:
        with client(address) as line, ThreadPoolExecutor(embedder.max_in_flight) as pool:
            order.carry_out(pool, partial(_embed, line, embedder.price_in_usd), _batches(questions))
    except LimitReached as reached:  # a person raises the limit, or lets it be
        raise Paused(str(reached)) from reached
    return order.failed


def _batches(questions: "QuerySet[Question]") -> Iterator[_Batch]:
    """Yield the questions once, by key, in batches that endpoints take."""
    waiting: list[Question] = []
    texts: list[str] = []
    size = 0
    for question in _by_key(questions.only("pk", "text", "options", "content_hash")):
        text = full_text(question.text, question.options)
        if waiting and (len(waiting) == BATCH_TEXTS or size + len(text.encode()) > BATCH_BYTES):
            yield _Batch(tuple(waiting), tuple(texts))
            waiting, texts, size = [], [], 0
        waiting.append(question)
        texts.append(text)
        size += len(text.encode())
    if waiting:
        yield _Batch(tuple(waiting), tuple(texts))


def _by_key(questions: "QuerySet[Question]") -> Iterator[Question]:
    last = 0
    while rows := list(questions.filter(pk__gt=last)[:_READ_AT_ONCE]):
        yield from rows
        last = rows[-1].pk


def _embed(line: Line, price_in_usd: Decimal, texts: Sequence[str]) -> _Outcome:
    """Embed a batch; what is refused together is tried in halves, down to single texts."""
    try:
        embedded = embed(line, texts)
    except BatchRefused as refusal:
        if len(texts) == 1:
            return _shortened(line, price_in_usd, texts[0], refusal)
        half = len(texts) // 2
        parts = [_embed(line, price_in_usd, part) for part in (texts[:half], texts[half:])]
        return _Outcome(
            (*parts[0].vectors, *parts[1].vectors),
            parts[0].cost_usd + parts[1].cost_usd,
            parts[1].refusal or parts[0].refusal,
        )
    return _outcome(embedded, price_in_usd)


def _outcome(embedded: Embedded, price_in_usd: Decimal) -> _Outcome:
    return _Outcome(tuple(embedded.vectors), embedded.cost(price_in_usd=price_in_usd))


def _shortened(line: Line, price_in_usd: Decimal, text: str, refusal: BatchRefused) -> _Outcome:
    """Embed the beginning of a text that is refused whole."""
    for halvings in range(1, SHORTENINGS + 1):
        try:
            return _outcome(embed(line, [text[: len(text) >> halvings] or text]), price_in_usd)
        except BatchRefused as error:
            refusal = error
    return _Outcome((None,), Decimal(0), str(refusal))


class _Order:
    """The embedding of a project's questions as it goes: what is in flight, kept, failed and spent."""

    def __init__(self, job: Any, embedder: Embedder, *, total: int, pulse: Pulse) -> None:
        self.job, self.embedder, self.total, self.pulse = job, embedder, total, pulse
        self.kept = self.failed = self.failures_in_a_row = 0
        self.last_failure: BaseException | None = None
        self.in_flight: dict[Future[_Outcome], _Batch] = {}
        self.purse = Purse(job, embedder)

    def beat(self) -> None:
        """Say how far it is."""
        self.pulse(self.kept + self.failed, self.total, phase=_("embedding"), cost_usd=self.job.cost_usd)

    def carry_out(self, pool: ThreadPoolExecutor, ask: Any, batches: Iterator[_Batch]) -> None:
        """Keep as many batches in flight as the endpoint takes, and keep each as it comes.

        Whatever ends it: batches that are on their way are paid for, so they are kept.
        """
        try:
            while True:
                for batch in islice(batches, self.embedder.max_in_flight - len(self.in_flight)):
                    self._wait_until_affordable(batch)
                    self.in_flight[pool.submit(ask, batch.texts)] = batch
                if not self.in_flight:
                    break
                self._go_on()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            self._settle(future for future in list(self.in_flight) if not future.cancelled())
        if self.last_failure is not None and not self.kept:  # an order that brought nothing is not done
            raise self.last_failure

    def _go_on(self) -> None:
        self._settle(wait(self.in_flight, timeout=1, return_when=FIRST_COMPLETED)[0])
        if self.last_failure is not None and self.failures_in_a_row >= FAILURES_IN_A_ROW:
            raise self.last_failure
        self.beat()

    def _wait_until_affordable(self, batch: _Batch) -> None:
        """Set a batch's price aside; wait for what is in flight, as it may cost less than it could.

        Raises:
            LimitReached: a limit has no room for it.
        """
        while not self.purse.take(_dearest_usd(self.embedder, batch)):
            self._go_on()

    def _settle(self, done: Iterable[Future[_Outcome]]) -> None:
        """Keep what came, and count what failed: its texts are asked for again by the next order."""
        for future in done:
            batch, failure = self.in_flight.pop(future), future.exception()
            if isinstance(failure, EndpointFailed):
                self.purse.settle(_dearest_usd(self.embedder, batch), Decimal(0))
                self.failed += len(batch.questions)
            else:
                failure = self._keep(batch, future.result())
            self.last_failure = failure or self.last_failure
            self.failures_in_a_row = self.failures_in_a_row + 1 if failure else 0

    def _keep(self, batch: _Batch, outcome: _Outcome) -> EndpointFailed | None:
        """Store a batch's vectors and its price together; return the failure if none of its texts was taken."""
        pairs = zip(batch.questions, outcome.vectors, strict=True)
        taken = [(question, vector) for question, vector in pairs if vector is not None]
        with transaction.atomic():
            _store(self.embedder, taken)
            type(self.job).objects.filter(pk=self.job.pk).update(
                cost_usd=F("cost_usd") + outcome.cost_usd,
                reserved_usd=Greatest(F("reserved_usd") - outcome.cost_usd, 0),
            )
        self.purse.settle(_dearest_usd(self.embedder, batch), outcome.cost_usd)
        self.job.cost_usd += outcome.cost_usd
        self.kept += len(taken)
        self.failed += len(batch.questions) - len(taken)
        return None if taken else EndpointFailed(outcome.refusal)


def _store(embedder: Embedder, taken: Sequence[tuple[Question, Vectors]]) -> None:
    """Store vectors of questions that are still there."""
    ids = [question.pk for question, _vector in taken]
    there = Question.objects.select_for_update(no_key=True).filter(pk__in=ids)
    living = set(there.values_list("pk", flat=True))
    known = Embedding.objects.filter(embedder=embedder).first()
    if known is not None and taken and len(known.vector) != len(taken[0][1]):
        raise Refusal(
            _(
                "%(name)s now gives vectors of %(new)s numbers, and gave %(old)s before: it is another model. "
                "Enter it as an embedding model of its own."
            )
            % {"name": embedder.name, "new": len(taken[0][1]), "old": len(known.vector)}
        )
    Embedding.objects.bulk_create(
        [
            Embedding(question=question, embedder=embedder, content_hash=question.content_hash, vector=vector)
            for question, vector in taken
            if question.pk in living
        ],
        update_conflicts=True,
        unique_fields=["question", "embedder"],
        update_fields=["content_hash", "vector"],
    )


def vectors_of(project: Project, embedder: Embedder) -> tuple[list[int], Vectors]:
    """Return the keys of a project's embedded questions, in order, and their unit vectors (N × D).

    A question whose text has changed since is left out.
    """
    query = """
        copy (
            select e.question_id, e.vector from curator_embedding e
            join curator_question q on q.id = e.question_id and q.content_hash = e.content_hash
            where e.embedder_id = %s and q.project_id = %s order by e.question_id
        ) to stdout (format binary)
    """
    with connection.cursor() as cursor, cursor.copy(query, [embedder.pk, project.pk]) as copy:
        content = b"".join(copy)
    rows = _rows(content)
    return rows["question"].astype(int).tolist(), rows["vector"].astype(np.float32)


def _rows(content: bytes) -> Any:
    """Read PostgreSQL's binary COPY of a key and a vector a row; vectors of one model are as long as each other."""
    header = _SIGNATURE_BYTES + int.from_bytes(
        content[15:19], "big"
    )  # 11 of signature, 4 of flags, 4 of length
    body = content[header:-2]  # the end is a row of -1 columns
    dimensions = int.from_bytes(body[18:20], "big") if body else 0
    row = np.dtype(
        [
            ("columns", ">i2"),
            ("key_bytes", ">i4"),
            ("question", ">i8"),
            ("vector_bytes", ">i4"),
            ("dimensions", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f4", (dimensions,)),
        ]
    )
    return np.frombuffer(body, dtype=row)
