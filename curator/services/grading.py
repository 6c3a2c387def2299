"""Grading by an assistant where rules cannot decide."""

from decimal import Decimal
from itertools import chain
from typing import Any, cast

from django.db import transaction
from django.db.models import Avg, Count, Q, QuerySet
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.text import estimate_tokens, neutralise
from common.endpoints import Prompt
from common.jobs import Watch, carried, unwatched
from common.models import Project, User
from curator.core.verdicts import (
    COMPARED_AS_WORDS,
    PROMPT_VERSION,
    SYSTEM,
    TRIES,
    grading_prompt,
    needs_grader,
    read_judgement,
)
from curator.models import ANSWERS, Answer, Assistant, Grade, Grading, Question, Standing, Verdict
from curator.services.asking import (
    Estimate,
    Received,
    Settled,
    about_tokens,
    address_of,
    ask_all,
    by_key,
    estimate_of,
    one_by_one,
    refuse_if_busy,
)
from curator.services.checking import follow, of
from curator.services.purse import refuse_without_room

SAMPLE_FOR_ESTIMATE = 200
ASSUMED_EXPLANATION_TOKENS = 300  # a few sentences, where no grade of the assistant is known yet


def undecided(kind: type[Answer], project: Project) -> "QuerySet[Any]":
    """Return a project's answers of one kind about which rules could not decide, by key.

    The same as `curator.core.verdicts.needs_grader` as a query, but for answers of white space alone: to know
    them, each would have to be read. Banned questions are left out.
    """
    by_words = Q(verdict=Verdict.WRONG, verdict_rule__in=COMPARED_AS_WORDS)
    rows: QuerySet[Any] = kind._default_manager.filter(
        Q(verdict=Verdict.UNPARSED) | by_words, question__project=project, grade__isnull=True
    )
    rows = rows.exclude(answer="").exclude(question__key="").exclude(question__standing=Standing.BANNED)
    return rows.select_related("question").defer("thinking").order_by("pk")


def estimate_grading(*, assistant: Assistant) -> Estimate:
    """Estimate what it takes to grade all that is undecided, from the assistant's own grades so far.

    What it calls questions are answers.
    """
    texts = ("question__text", "question__key", "question__solution", "answer")
    counts = [
        about_tokens(undecided(kind, assistant.project), "question__language", *texts) for kind in ANSWERS
    ]
    answers = sum(count for count, _tokens in counts)
    tokens_in = sum(tokens for _count, tokens in counts) + answers * estimate_tokens(SYSTEM)
    latest = Grade.objects.filter(grading__assistant=assistant).order_by("-pk")[:SAMPLE_FOR_ESTIMATE]
    known = Grade.objects.filter(pk__in=list(latest.values_list("pk", flat=True)))
    mean = known.aggregate(count=Count("pk"), usd=Avg("cost_usd"))
    if mean["count"]:
        basis = _("Mean of this assistant's last %(count)s grades.") % {"count": mean["count"]}
        tokens_out = answers * ASSUMED_EXPLANATION_TOKENS
        return Estimate(answers, tokens_in + tokens_out, mean["usd"] * answers, basis)
    each = min(ASSUMED_EXPLANATION_TOKENS, assistant.max_tokens)
    basis = _("No grade of this assistant yet: %(tokens)s tokens of explanation each.") % {"tokens": each}
    return estimate_of(
        assistant, questions=answers, tokens_in=tokens_in, tokens_out=each * answers, basis=basis
    )


def first_of_grading(*, assistant: Assistant) -> Prompt | None:
    """Return what an assistant would be asked first; None where nothing is undecided."""
    firsts = (undecided(kind, assistant.project).first() for kind in ANSWERS)
    first = next((each for each in firsts if each is not None), None)
    return _prompt_of(first) if first else None


def start_grading(*, assistant: Assistant, max_cost_usd: Decimal | None = None, by: User | None) -> Grading:
    """Queue an order to an assistant: grade what rules could not decide.

    Raises:
        Refusal: the assistant has no address, the limit cannot be used, or an order to it is under way.
        LimitReached: a limit has no room for a single grade.
    """
    address_of(assistant)
    checked(Grading(max_cost_usd=max_cost_usd), "max_cost_usd")
    with transaction.atomic():
        refuse_if_busy(assistant, assistant.gradings.all())
        first = first_of_grading(assistant=assistant)
        refuse_without_room(endpoint=assistant, prompt=first, max_cost_usd=max_cost_usd)
        order: Grading = Grading.objects.create(
            project=assistant.project,
            assistant=assistant,
            model=assistant.model,
            prompt_version=PROMPT_VERSION,
            max_cost_usd=max_cost_usd,
            created_by=by,
        )
    return order


def run_grading(*, job: Grading, watch: Watch = unwatched) -> None:
    """Let the assistant grade every undecided answer; each grade is stored as it comes.

    Where a limit has no room for another grade, it rests.
    An answer about which it does not say Yes or No in three tries stays as it was, and is counted as failed.

    Raises:
        AlreadyClaimed: another worker has the order.
        EndpointFailed: the endpoint is down, or keeps to no form; what was received is stored.
    """
    with carried(job):
        answers = [undecided(kind, job.project) for kind in ANSWERS]
        ask_all(
            job=job,
            endpoint=job.assistant,
            items=filter(_is_undecided, chain.from_iterable(by_key(rows) for rows in answers)),
            wanted=sum(rows.count() for rows in answers),
            prompt_of=_prompt_of,
            sample_of=lambda answer: f"{job.pk}/{answer._meta.model_name}/{answer.pk}",
            store=one_by_one(lambda received: _store(job, received)),
            watch=watch,
            tries=TRIES,
        )


def _prompt_of(answer: Answer) -> Prompt:
    question = answer.question
    user = grading_prompt(
        text=question.text,
        options=question.options,
        key=question.key,
        solution=question.solution,
        answer=answer.answer,
    )
    return Prompt(user, system=SYSTEM)


def _store(job: Grading, received: Received[Answer]) -> Settled:
    judgement = read_judgement(received.reply.answer, finish_reason=received.reply.finish_reason)
    if judgement is None:
        return Settled.UNREADABLE
    answer = _as_asked(received.item)
    if answer is None:
        return Settled.GONE
    if Grade.objects.filter(**of(answer)).exists() or not _is_undecided(answer):
        return Settled.ALREADY
    Grade.objects.create(
        grading=job,
        **of(answer),
        is_right=judgement.is_right,
        explanation=neutralise(judgement.explanation)[0],
        tries=received.tries,
        cost_usd=received.cost_usd,
    )
    follow(answer)
    return Settled.STORED


def _as_asked(asked: Answer) -> Answer | None:
    """Return an answer as it is now, its question held to the end of the transaction; None if that has changed."""
    was = asked.question
    questions = Question.objects.select_for_update(no_key=True)
    if not questions.filter(pk=was.pk, content_hash=was.content_hash, key=was.key).exists():
        return None
    rows = type(asked)._default_manager.select_related("question").defer("thinking")
    return cast("Answer | None", rows.filter(pk=asked.pk).first())


def _is_undecided(answer: Answer) -> bool:
    return needs_grader(
        verdict=answer.verdict, rule=answer.verdict_rule, key=answer.question.key, answer=answer.answer
    )
