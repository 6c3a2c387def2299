"""An expert's own verdict on an answer, and which verdict of an answer stands: an expert's, a grader's, the rules'."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.models import User
from curator.models import Answer, SpotCheck, Trace, Verdict
from curator.services.marking import verdict_of

BY_EXPERT = "an expert"
RULE_LENGTH = 60


def of(answer: Answer) -> dict[str, Any]:
    """Return an answer as the field that holds it, in a grade or a check."""
    return {"trace" if isinstance(answer, Trace) else "attempt": answer}


@transaction.atomic
def check(*, answer: Answer, expert: User, is_right: bool, is_blind: bool = True) -> SpotCheck:
    """Record an expert's own verdict on an answer; the answer's verdict follows it, and what was said before is kept.

    `is_blind` says that the expert has not seen the mark. Said again, the last word counts.

    Raises:
        Refusal: the question has no key to judge by.
    """
    kept = _held(answer)
    if not kept.question.key.strip():
        raise Refusal(_("The question has no key; give it one, and its answers are marked."))
    said = said_without_expert(kept)
    SpotCheck.objects.filter(**of(kept), expert=expert).delete()  # so that the last word is the last row
    made: SpotCheck = SpotCheck.objects.create(
        **of(kept),
        project_id=kept.question.project_id,
        expert=expert,
        is_right=is_right,
        is_blind=is_blind,
        marked=said["verdict"],
        rule=said["verdict_rule"],
    )
    follow(kept)
    return made


@transaction.atomic
def withdraw(*, made: SpotCheck) -> None:
    """Take an expert's verdict back; another expert's stands, or what was said without one."""
    kept = _held(made.answering)
    made.delete()
    follow(kept)


def follow(answer: Answer) -> None:
    """Give an answer the verdict of the last expert who said one, else of its grade, else of the rules."""
    last = answer.spot_checks.order_by("pk").last()
    if last is None:
        said = said_without_expert(answer)
    else:
        said = {"verdict": Verdict.RIGHT if last.is_right else Verdict.WRONG, "verdict_rule": BY_EXPERT}
    for column, value in said.items():
        setattr(answer, column, value)
    answer.save(update_fields=list(said))


def said_without_expert(answer: Answer) -> dict[str, Any]:
    """Return verdict and rule of an answer as its grade, or without one the rules, have them."""
    grade = getattr(answer, "grade", None)
    if grade is None:
        return verdict_of(answer.question, answer.answer)
    return {
        "verdict": Verdict.RIGHT if grade.is_right else Verdict.WRONG,
        "verdict_rule": f"assistant {grade.grading.assistant.name}"[:RULE_LENGTH],
    }


def _held(answer: Answer) -> Answer:
    """Return an answer as it is now, held to the end of the transaction."""
    rows = type(answer)._default_manager.select_for_update(no_key=True, of=("self",))
    kept: Answer = rows.select_related("question").defer("thinking").get(pk=answer.pk)
    return kept
