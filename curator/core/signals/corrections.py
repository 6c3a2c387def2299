"""Sentences with which a trace turns back on itself: "Wait, …", "Actually, no", 等等, 不对."""

import re
from collections.abc import Iterator, Sequence

from curator.core.quality import Place
from curator.core.signals.signal import Sign, Signal
from curator.core.signals.stated import Sentence
from curator.core.steps import Kind, kind_of

READ = 100  # characters of a sentence that are looked at
SHOWN = 60
STEM_WITHIN = 50
_STEMS = re.compile(
    r"wait|hmm|hold on|oops|actual|\bno\b|not so|scratch|mistake|mis\w|(?:not right|wrong|incorrect)"
    r"|等|不|慢着|且慢|回头|其实|重新|错",
    re.IGNORECASE,
)
# "Wait for the bus", "Hold on to it", 不 as in 不等式, 重新 as in 重新分配: nothing is taken back.
_NO_TURN = re.compile(
    r"\W*(?:(?:but|and|or|so|now|then|ok|okay|well)\W+)?"
    r"(?:wait(?:ing|ed|s)?\s+(?:for|until|till|time|times|list|on|in|at|to)\b|hold on to\b|no[.,]?\s?\d|等等[。；）)]"
    r"|等(?:式|于|号|差|比|腰|边)|不(?:等|同|仅|但|过|变|妨|考虑|管|论|断)|重新(?:分配|启动|定义|排列)"
    r"|actually,? (?:exist|happen)\w*)",
    re.IGNORECASE,
)


def corrections(parts: Sequence[Sentence], part: Place) -> Iterator[Signal]:
    """Yield a signal for each sentence that begins by taking something back."""
    for sentence in parts:
        head = sentence.text[:READ]
        if (
            not _STEMS.search(head, 0, STEM_WITHIN)
            or _NO_TURN.match(head)
            or kind_of(head) is not Kind.CORRECTION
        ):
            continue
        yield Signal(
            Sign.CORRECTION,
            part,
            sentence.start,
            min(sentence.end, sentence.start + READ),
            said=head[:SHOWN].split("\n")[0],
        )
