"""Stretches of thinking in another language than the question's, that last longer than a sentence."""

import re
from collections.abc import Iterator, Sequence

from common.core.text import count_cjk, language_of
from curator.core.quality import Place
from curator.core.signals.signal import Sign, Signal
from curator.core.signals.stated import Sentence

LEAST_SENTENCES = 2
LEAST_LATIN, LEAST_CJK = 60, 16  # letters of a stretch
_LATIN_WORDS = re.compile(r"(?:[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ'’-]+[\s,.;:]+){4}")
_SCRIPTS = {
    "ja": re.compile(r"[\u3040-\u30ff]"),
    "ko": re.compile(r"[\uac00-\ud7af]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
}
_SHARE = 0.3


def switches(parts: Sequence[Sentence], part: Place, *, language: str) -> Iterator[Signal]:
    """Yield a signal for each stretch in another language; none where the whole text is in it."""
    stretch: list[Sentence] = []
    spoken = ""
    judged = [(sentence, _spoken(sentence.text)) for sentence in parts]
    if all(each in ("", judged[0][1]) for _sentence, each in judged):
        return
    for sentence, each in [*judged, (Sentence(0, 0, ""), language)]:
        if each in ("", spoken) and stretch:
            stretch.append(sentence)
            continue
        if _lasts(stretch, spoken):
            yield _signal(stretch, part, spoken, language)
        stretch, spoken = ([sentence], each) if each not in ("", language) else ([], "")


def _signal(stretch: Sequence[Sentence], part: Place, spoken: str, language: str) -> Signal:
    last = next(each for each in reversed(stretch) if _spoken(each.text) == spoken)
    return Signal(Sign.LANGUAGE, part, stretch[0].start, last.end, said=spoken, held=language)


def _lasts(stretch: Sequence[Sentence], spoken: str) -> bool:
    own = [each.text for each in stretch if _spoken(each.text) == spoken]
    letters = sum(sum(map(str.isalpha, text)) for text in own)
    return len(own) >= LEAST_SENTENCES and letters >= (
        LEAST_CJK if spoken in ("zh", "ja", "ko") else LEAST_LATIN
    )


def _spoken(text: str) -> str:
    """Return the language of a sentence by its script; "" of one that is mostly signs."""
    if text.isascii():
        return "en" if _LATIN_WORDS.search(text) else ""
    letters = sum(map(str.isalpha, text))
    for name, script in _SCRIPTS.items():
        if len(script.findall(text)) > _SHARE * letters:
            return name
    if language_of(text) == "zh":
        return "zh" if count_cjk(text) >= 4 else ""
    return "en" if _LATIN_WORDS.search(text) else ""
