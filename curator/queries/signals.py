"""Signals in a reader's words: what a reviewer should look at first in a trace, each with the step it stands in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.core.rendering import visible
from common.core.text import shortened
from common.sentences import in_readers_language
from curator.core.quality import Pattern, Place
from curator.core.signals import Sign, Signal, signals
from curator.core.steps import Step, number_at
from curator.models import Question, Trace

NAMES: MappingProxyType[Sign, str | Promise] = MappingProxyType(
    {
        Sign.CONTRADICTION: gettext_lazy("contradiction"),
        Sign.ARITHMETIC: gettext_lazy("arithmetic"),
        Sign.QUALITY: gettext_lazy("quality"),
        Sign.UNFINISHED: gettext_lazy("breaks off"),
        Sign.REPETITION: gettext_lazy("repetition"),
        Sign.LANGUAGE: gettext_lazy("language"),
        Sign.CORRECTION: gettext_lazy("corrects itself"),
    }
)  # the gravest first
SOFT = frozenset({Sign.CORRECTION})  # good reasoning does this too: listed, and no warning
SHOWN = 60  # columns of a quoted stretch
_LANGUAGES = MappingProxyType(
    {
        "en": gettext_lazy("English"),
        "zh": gettext_lazy("Chinese"),
        "ja": gettext_lazy("Japanese"),
        "ko": gettext_lazy("Korean"),
        "ru": gettext_lazy("Russian"),
        "ar": gettext_lazy("Arabic"),
        "hi": gettext_lazy("Hindi"),
        "th": gettext_lazy("Thai"),
    }
)
_OPEN = MappingProxyType(
    {
        "code": gettext_lazy("Breaks off inside code that was opened here: “%(said)s”"),
        "formula": gettext_lazy("Breaks off inside a formula that was opened here: “%(said)s”"),
        "box": gettext_lazy("Breaks off inside the boxed answer: “%(said)s”"),
        "word": gettext_lazy("Breaks off in the middle of a sentence: “%(said)s”"),
        "sentence": gettext_lazy("The last sentence has no end: “%(said)s”"),
    }
)


@dataclass(frozen=True)
class SignalRow:
    """One signal: what it is called, what it says, and the steps by number; 0 is the answer."""

    name: str
    said: str
    step: int
    start: int
    quote: str  # how the stretch begins, for an eye that looks for it
    other: int | None
    is_soft: bool

    @property
    def is_in_answer(self) -> bool:
        """Tell whether it stands in the answer, not in the thinking."""
        return self.step == 0


@dataclass(frozen=True)
class SignalGroup:
    """The signals of one kind, by place; `more` is how many there are beside them."""

    name: str
    rows: tuple[SignalRow, ...]
    more: int
    is_soft: bool

    @property
    def count(self) -> int:
        """Return how many there are in all."""
        return len(self.rows) + self.more


def get_signals(
    trace: Trace, question: Question, steps: Sequence[Step], patterns: Sequence[Pattern]
) -> tuple[SignalGroup, ...]:
    """Return the signals of a trace by kind, the gravest first; `patterns` are the project's of quality."""
    found = signals(
        trace.thinking,
        trace.answer,
        key=question.key,
        options=tuple(question.options),
        language=question.language,
        finish_reason=trace.finish_reason,
        patterns=patterns,
    )
    reasons = {pattern.name: pattern.reason for pattern in patterns}
    by_kind = {kind: [one for one in found.found if one.kind is kind] for kind in NAMES}
    return tuple(
        SignalGroup(
            str(NAMES[kind]),
            tuple(_row(signal, trace, steps, reasons) for signal in own),
            found.left_out.get(kind, 0),
            kind in SOFT,
        )
        for kind, own in by_kind.items()
        if own
    )


def _row(signal: Signal, trace: Trace, steps: Sequence[Step], reasons: dict[str, str]) -> SignalRow:
    here = _number(signal.part, signal.start, steps)
    other = None
    if signal.other is not None and signal.other_part is not None:
        other = _number(signal.other_part, signal.other[0], steps)
    said = reasons[signal.why] if signal.kind is Sign.QUALITY and signal.why in reasons else ""
    words = in_readers_language(said) if said else _SAID[signal.kind](signal)
    text = trace.thinking if signal.part is Place.THINKING else trace.answer
    return SignalRow(
        name=str(NAMES[signal.kind]),
        said=visible(words),
        step=here,
        start=signal.start,
        quote=visible(text[signal.start : min(signal.end, signal.start + SHOWN)].strip().partition("\n")[0]),
        other=None if other == here else other,
        is_soft=signal.kind in SOFT,
    )


def _number(part: Place, place: int, steps: Sequence[Step]) -> int:
    return number_at(steps, place) if part is Place.THINKING and steps else 0


def _contradiction(signal: Signal) -> str:
    texts = {"said": shortened(signal.said, SHOWN), "held": shortened(signal.held, SHOWN)}
    if signal.why != "final answer":
        return _("Says “%(said)s” here, and “%(held)s” before.") % texts
    agreeing = {
        "said": _("Says “%(said)s” here, as the key does; the final answer is “%(held)s”."),
        "held": _("Says “%(said)s” here; the final answer, as the key, is “%(held)s”."),
        "": _("Says “%(said)s” here; the final answer is “%(held)s”."),
    }
    return agreeing[signal.keyed] % texts


def _arithmetic(signal: Signal) -> str:
    return _("“%(expression)s %(sign)s %(said)s” does not hold: it is %(held)s") % {
        "expression": shortened(signal.expression, SHOWN),
        "sign": signal.why,
        "said": shortened(signal.said, SHOWN),
        "held": signal.held,
    }


def _repetition(signal: Signal) -> str:
    if signal.why == "loop":
        return _("Goes round in a circle: the same passage again and again.")
    length = signal.end - signal.start
    return ngettext(
        "Says word for word what stands before (%(count)s character).",
        "Says word for word what stands before (%(count)s characters).",
        length,
    ) % {"count": length}


def _language(signal: Signal) -> str:
    return _("Goes on in %(said)s; the question is in %(held)s.") % {
        "said": _LANGUAGES.get(signal.said, signal.said),
        "held": _LANGUAGES.get(signal.held, signal.held),
    }


def _correction(signal: Signal) -> str:
    return shortened(signal.said, SHOWN)


def _unfinished(signal: Signal) -> str:
    return str(_OPEN[signal.why]) % {"said": shortened(signal.said, SHOWN)}


def _quality(signal: Signal) -> str:
    return signal.why


_SAID: MappingProxyType[Sign, Callable[[Signal], str]] = MappingProxyType(
    {
        Sign.CONTRADICTION: _contradiction,
        Sign.ARITHMETIC: _arithmetic,
        Sign.REPETITION: _repetition,
        Sign.LANGUAGE: _language,
        Sign.CORRECTION: _correction,
        Sign.UNFINISHED: _unfinished,
        Sign.QUALITY: _quality,
    }
)
