"""The quantity that a sentence gives as its answer, where it gives one: not a bound, a range, a label or a refusal.

"Answer: 7 years" and "so there are 7 of them" say 7. "not 7", "7 or more", "3 to 5", "3 out of 5" and "question 7
has no solution" do not: of those no rule can tell, so a reader has to.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from common.core.notation import folded, without_tex
from common.core.quantities import Quantity, quantities_in, quantity

# Words and signs beside which a number is a bound, part of a range or a share, or is denied.
_CONDITION = re.compile(
    r"[<>≤≥≠±]|\\(?:leq?|geq?|neq?|lt|gt)\b|\d\s?\+(?!\s?[\d\\])"
    r"|\bnot\b|n['’]t\b|\bcannot\b|\bunable\b|\b(?:never|neither|nor)\b|\bno (?:more|less|fewer|greater|solutions?|answers?)\b"
    r"|\b(?:undefined|impossible|does not exist|contradict\w*)\b"
    r"|\b(?:more|less|fewer|greater|larger|smaller|higher|lower|longer|shorter) than\b"
    r"|\bor (?:more|less|fewer|greater|above|below|over|under)\b|\bup to\b|\bat (?:most|least)\b|\bbetween\b|\bwithin\b"
    r"|\d[^\w,;.]*\b(?:to|out of|in|through)\b\s?\d|\d\s?(?:~|–|—|到|至)\s?\d"
    r"|大于|小于|多于|少于|高于|低于|超过|不足|不到|至少|至多|不等于|不是|并非|以上|以下|以内|之间|无解|无法|不能|不存在|无意义|缺少"
)
# A number behind such a word names a thing.
_LABEL = re.compile(
    r"(?:\b(?:question|problem|part|step|case|page|line|equation|eq\.|example|exercise|figure|fig\.|table|chapter|section"
    r"|item|theorem|lemma|no\.)\s?\(?|第)\d+(?:\.\d+)*\)?|\(\s?division by \d+\s?\)",
    re.IGNORECASE,
)
# What follows only says more of the answer before it.
_SAYS_MORE = re.compile(
    r"\s?(?:[,;，；。(]|\.\s)\s?"
    r"(?=(?:which|because|since|as|for|so that|not|rather than|i\.e\.|that is|namely)\b|因为|由于|即|不是|而不是|也就是|并非)"
    r"|\s(?=(?:because|since|rather than)\b)",
    re.IGNORECASE,
)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s?([^\W\d_]+)")
_PARTS = re.compile(r"\d+(?:\.\d+)?\s?[^\W\d_]+(?:[\s,，]*(?:and\s|和|又|零)?\d+(?:\.\d+)?\s?[^\W\d_]+)+")
_SHORT_MINUTES = re.compile(r"分(?!钟)")
_OR = re.compile(r"\bor\b|或")
_STATED = re.compile(r"=|≈|\b(?:is|are)\b|是|为|得|共")


@dataclass(frozen=True)
class Said:
    """What a sentence gives: a quantity, or none; whether it offers another; whether it is under a condition."""

    quantity: Quantity | None
    is_hedged: bool = False
    is_conditional: bool = False


def quantity_said(answer: str) -> Said:
    """Return the quantity that an answer gives in words."""
    first = _SAYS_MORE.split(answer, maxsplit=1)[0]
    if (whole := quantity(first)) is not None:
        return Said(whole)
    plain = _LABEL.sub(" ", without_tex(folded(first)))
    found = list(quantities_in(plain))
    is_conditional = bool(_CONDITION.search(plain) or _CONDITION.search(folded(first)))
    if not found or is_conditional:
        return Said(None, is_conditional=is_conditional)
    if (compound := _compound(plain)) is not None:
        return Said(compound)
    if len({other.value for other in found}) == 1:
        return Said(found[0])
    if _OR.search(plain):
        return Said(found[0], is_hedged=True)
    stated = (other for part in _STATED.split(plain)[1:] for other in quantities_in(part))
    return Said(next(stated, found[0]))


def _compound(text: str) -> Quantity | None:
    """Return "2 hours 30 minutes" as one quantity, in the unit of its first part; None of anything else."""
    plain = text.strip(" .。,;:*_`\"'$")
    if not _PARTS.fullmatch(plain):
        return None
    if "小时" in plain:
        plain = _SHORT_MINUTES.sub("分钟", plain)
    parts = [quantity(f"{number} {unit}") for number, unit in _PART.findall(plain)]
    measured = [(part, part.measure) for part in parts if part is not None and part.measure is not None]
    kinds = {measure.dimensions for _part, measure in measured}
    falling = all(one[1].factor > other[1].factor for one, other in pairwise(measured))
    if len(measured) < len(parts) or len(kinds) > 1 or not falling:
        return None
    first, unit = measured[0]
    total = Decimal(0)
    for part, measure in measured:
        factor = measure.factor / unit.factor
        total += part.value * factor.numerator / factor.denominator
    return replace(first, value=total, places=None)
