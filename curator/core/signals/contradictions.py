"""Answers that a trace states and that differ from one another, as the marker compares them."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

from common.core.answers import OPPOSITE, Marker, Outcome, final_answer, mark
from curator.core.quality import Place
from curator.core.signals.signal import Sign, Signal
from curator.core.signals.stated import Claim, claims
from curator.core.verdicts import COMPARED_AS_WORDS, settled

_NEVER_DECIDED = (*COMPARED_AS_WORDS, "no option named", "no final answer", "no key")


def contradictions(thinking: str, answer: str, *, key: str, options: Sequence[str]) -> Iterator[Signal]:
    """Yield a signal for each stated answer that differs from the final one, or else from the one before it."""
    differs = partial(_differ, options=options)
    stated = [*claims(thinking, Place.THINKING), *claims(answer, Place.ANSWER)]
    final = final_answer(answer) if answer.strip() else None
    if final is None:
        yield from _among_themselves(stated, key, options)
        return
    last = next((claim for claim in reversed(stated) if claim.part is Place.ANSWER), None)
    seen: dict[str, bool] = {}
    for claim in stated:
        if claim is last:
            continue
        if claim.said not in seen:
            seen[claim.said] = differs(claim.said, final)
        if seen[claim.said]:
            where = (last.start, last.end) if last else None
            yield _signal(claim, "final answer", final, where, Place.ANSWER if last else None, key, options)


def _among_themselves(stated: Sequence[Claim], key: str, options: Sequence[str]) -> Iterator[Signal]:
    for before, claim in pairwise(stated):
        if before.said != claim.said and _differ(claim.said, before.said, options=options):
            place = (before.start, before.end)
            yield _signal(claim, "earlier answer", before.said, place, before.part, key, options)


def _signal(
    claim: Claim,
    why: str,
    held: str,
    other: tuple[int, int] | None,
    part: Place | None,
    key: str,
    options: Sequence[str],
) -> Signal:
    keyed = next(
        (
            name
            for name, said in (("said", claim.said), ("held", held))
            if key and _is_right(said, key, options)
        ),
        "",
    )
    return Signal(
        Sign.CONTRADICTION, claim.part, claim.start, claim.end, why, claim.said, held,
        keyed=keyed, other=other, other_part=part,
    )  # fmt: skip


def _is_right(said: str, key: str, options: Sequence[str]) -> bool:
    return mark(f"Final Answer: {said}", key=key, options=options).outcome is Outcome.RIGHT


def _differ(said: str, other: str, *, options: Sequence[str]) -> bool:
    """Tell whether two answers cannot both be meant; what the marker cannot compare does not differ."""
    if said == other:
        return False
    marks = [_decided(one, another, options) for one, another in ((said, other), (other, said))]
    return all(each is False for each in marks)


def _decided(said: str, key: str, options: Sequence[str]) -> bool | None:
    """Return whether the marker finds an answer right; None where it compared them as mere words."""
    reply = f"Final Answer: {said}"
    marked = settled(mark(reply, key=key, options=options, marker=Marker.AUTO), key=key, reply=reply)
    if marked.outcome is Outcome.RIGHT:
        return True
    if marked.rule in _NEVER_DECIDED and marked.rule != OPPOSITE:
        return None
    return False
