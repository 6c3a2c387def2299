"""Places of a trace at which an expert should look first, each with the facts that say why.

They help the eye and decide nothing: a contradiction, a sum that does not hold, a passage said again, a change of
language, a correction, an end that breaks off, a flag of the quality criterion. All in time linear in the text.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType

from curator.core.quality import PATTERNS, Pattern, Place, Specimen, trace_flaws
from curator.core.signals.arithmetic import arithmetic
from curator.core.signals.contradictions import contradictions
from curator.core.signals.corrections import corrections
from curator.core.signals.endings import endings
from curator.core.signals.language import switches
from curator.core.signals.repetition import repetitions
from curator.core.signals.signal import Sign, Signal, Signals
from curator.core.signals.stated import sentences_of

__all__ = ["MOST", "SIGNALS_VERSION", "Place", "Sign", "Signal", "Signals", "signals"]

SIGNALS_VERSION = "1"  # goes up whenever a text would be given other signals
MOST = 40  # signals of one kind that are given


def signals(
    thinking: str,
    answer: str,
    *,
    key: str = "",
    options: Sequence[str] = (),
    language: str = "en",
    finish_reason: str = "",
    patterns: Sequence[Pattern] = PATTERNS,
) -> Signals:
    """Return the signals of a trace by place, the thinking before the answer.

    `language` is the question's, `finish_reason` what the endpoint said of the end of the trace,
    `patterns` those of the quality criterion.
    """
    specimen = Specimen("", thinking, answer, finish_reason, language=language, key=key, options=options)
    found = sorted(_all(specimen, key, options, patterns), key=lambda signal: signal.order)
    counts: Counter[Sign] = Counter()
    kept = []
    for signal in found:
        counts[signal.kind] += 1
        if counts[signal.kind] <= MOST:
            kept.append(signal)
    left_out = {kind: count - MOST for kind, count in counts.items() if count > MOST}
    return Signals(tuple(kept), MappingProxyType(left_out))


def _all(
    specimen: Specimen, key: str, options: Sequence[str], patterns: Sequence[Pattern]
) -> Iterator[Signal]:
    thinking, answer = specimen.thinking, specimen.answer
    yield from contradictions(thinking, answer, key=key, options=options)
    again = list(repetitions(thinking, Place.THINKING))
    yield from again
    yield from _flags(specimen, patterns, again)
    for text, part in ((thinking, Place.THINKING), (answer, Place.ANSWER)):
        parts = sentences_of(text)
        yield from arithmetic(text, part)
        yield from corrections(parts, part)
        yield from endings(text, part)
        if part is Place.THINKING:
            yield from switches(parts, part, language=specimen.language)


def _flags(specimen: Specimen, patterns: Sequence[Pattern], again: Iterable[Signal]) -> Iterator[Signal]:
    """Yield what the quality criterion says of the trace, at its place where it has one."""
    thinking, answer = specimen.thinking, specimen.answer
    for flag in trace_flaws(specimen, patterns):
        part = Place.ANSWER if flag in ("refusal", "no-answer") else Place.THINKING
        start, end = 0, len((answer if part is Place.ANSWER else thinking).partition("\n")[0])
        if flag == "loop":
            looping = max(again, key=lambda signal: signal.end - signal.start, default=None)
            start, end = (looping.start, looping.end) if looping else (0, len(thinking))
        yield Signal(Sign.QUALITY, part, start, end, flag)
