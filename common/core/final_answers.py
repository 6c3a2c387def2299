"""Find the final answer that a reply names: the last one wins, and where none is named there is none."""

import re
from collections.abc import Iterator

from common.core.notation import LONGEST, folded, tail
from common.core.quantities import quantity

# A heading that names an answer: words and a colon or verb, or words that fill a line of their own.
_NAMED = re.compile(
    r"(?:(?P<final>final\s?answer|最终答案)|(?:correct|best|right)?\s?(?<![A-Za-z])(?:answer|option|choice)|正确答案|参考答案|正确选项|答案)"
    r"[\s*_`\"”)）】]{0,4}(?:(?:应该|应当|应)?[:：是为=]|\b(?:is|are)\b[\s*_]{0,4}:?|[*_#]{0,3}\n|(?<=】)|(?=\s?(?:\\[\[(]|\$)))[\s*_#]{0,6}(?P<said>[^\n]*)",
    re.IGNORECASE,
)
_PICKED = re.compile(
    r"(?:(?:故|应|因此|所以|综上|本题|正确|答案|当|我)(?:此题|本题)?[,，]?选择?(?:项)?(?:的(?:选?项)?(?=[是为]))?|(?:^|(?<=\n))选择?|正确的(?:说法|选项)?(?=[有是为]))"
    r"[:：为是有]{0,2}\s?(?P<said>[(（【]?[A-ZＡ-Ｚ][^\n]*)"
)
_REPLIED = re.compile(r"(?:^|(?<=\n))[*_]{0,2}答[*_]{0,2}[:：][*_]{0,2}\s?(?P<said>[^\n]+)")
_TAGGED = re.compile(r"<answer>\s{0,3}(?P<said>[^<]{1,2000}?)\s{0,3}</answer>", re.IGNORECASE)
_BOX = re.compile(r"\\(?:boxed|fbox)\s?\{")
# Between boxes that are one answer together: nothing but a comma or an "and", perhaps after a few words.
_JOINT = re.compile(
    r"[\s$.*]*(?:\\[\])(\[ ,;]|\\q?quad|\\text\s?\{[^{}]{0,30}|[(\w一-鿿 )]{1,25}?\b(?=and\b))?"
    r"(?:[\s$,;、}]|\\[\])(\[ ,;]|\\q?quad|\\text\s?\{|and\b|or\b|和|或|及|以及|与){1,8}"
    r"[\s$}\\(\[]*(?:\\text\s?\{|[a-zA-Z]_?\d?\s?=\s?)?"
)
_DOUBT = re.compile(
    r"\b(?:no|not|wait|actually|but|should|instead|rather|wrong|then)\b|不|错|应|但", re.IGNORECASE
)
# At the end of a reply: "Option E is the most accurate answer.", "this corresponds to answer choice H."
_LAST_LETTER = re.compile(
    r"\b(?:option|choice|statement|answer|select|choose|pick|is)\s[*_(]{0,3}(?P<said>[A-Z])[*_)]{0,3}"
    r"(?:\s(?:is|as|the)\b[^.\n]{0,80}\b(?:answer|choice|option|correct|right|true|best)\b[^.\n]{0,30})?[.。*_\s]*$",
    re.IGNORECASE,
)
_CONCLUDING = re.compile(
    r"(?:^|[.。]\s?)[\s*_#>-]*(?:thus|therefore|hence|so|in conclusion|consequently|the (?:approximate|total|final|value|result)"
    r"|因此|所以|故|综上|总之|可得|于是)",
    re.IGNORECASE,
)
_CORRECTED = re.compile(r"[.!?。！？;；]\s?(?:no\b|wait\b|actually\b|sorry\b|不对|等等|更正)", re.IGNORECASE)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
DENIED = re.compile(
    r"\b(?:not|isn't|cannot|incorrect|wrong|false|eliminate|reject|neither)\b|n't\b|不|错", re.IGNORECASE
)
_WHOLE_FORMULA = re.compile(r"(?:\$\$?[^$\n]{1,400}\$\$?|\\\[[^\n]{1,400}?\\\]|\\\([^\n]{1,400}?\\\))[.。]?")
_OPENED = {"\\[": "\\]", "$$": "$$"}
_POLITE = re.compile(r"[.,;\s]*(?:I hope (?:it|this) is correct|I hope this helps)[.!\s]*$", re.IGNORECASE)
LETTER_KEY = re.compile(r"[A-Z]{1,10}(?:\s?[,、;和]\s?[A-Z]{1,10}){0,40}")
CLOSING = " \t\n.。,，;；:：*_`"
# What makes a text before a box an argument, and no name of what is boxed; and what may stand after the box.
_ARGUED = re.compile(r"(?:[A-Za-z]{2,}[\s,;:.]+){4}|[一-鿿][^。\n]{0,20}[。，,;；：:\n]|\n")
_AFTER_A_BOX = CLOSING + "$}\\])"
_TURN_ENDS = re.compile(r"<\|(?:im_start|im_end|endoftext|eot_id|end)\|>|<｜end▁of▁sentence｜>")
_END_OF_THINKING = "</think>"


def final_answer(reply: str) -> str | None:
    """Return the last answer that a reply (the text after its thinking) names, or None.

    A box outranks all words but a "Final Answer:" after it; a box that was never closed is an
    answer cut off, and so none. A reply that is nothing but letters, a number or a formula counts as one.
    """
    return answer_in(answering_part(reply))


def answering_part(reply: str) -> str:
    """Return the end of a reply that can hold its answer: none of its thinking."""
    return tail(_TURN_ENDS.split(reply.rpartition(_END_OF_THINKING)[2], maxsplit=1)[0])


def closing_answer(key: str) -> str | None:
    """Return the final answer with which a key that argues ends: "… so it is the second. Final answer: B".

    None where a key is nothing but an answer, or goes on after it.
    """
    text = key.rstrip()
    last = next(iter([*_NAMED.finditer(text)][-1:]), None)
    if last and last.end("said") == len(text) and (last["final"] or _closes(text[: last.start()])):
        return _innermost(last["said"]) or None
    boxes = list(_BOX.finditer(text))
    if not boxes or not _ARGUED.search(text[: boxes[0].start()]):
        return None
    boxed = _closed_from(text, boxes[-1].end())
    after = text.rpartition(boxed)[2].strip(_AFTER_A_BOX) if boxed else text
    return None if after else answer_in(text)


def _closes(before: str) -> bool:
    """Tell whether a plain "Answer:" after a text begins a line of its own, with an argument above."""
    return before.rstrip(" \t*_#>").endswith("\n") and bool(before.strip())


def answer_in(text: str) -> str | None:
    """Return the final answer of a text that is an answering part already."""
    boxes = list(_BOX.finditer(text))
    place, said = _last_named(text, after=boxes[-1].start() if boxes else -1)
    if boxes:
        boxed = _closed_from(text, boxes[-1].end())
        if said and boxed is not None and place > boxes[-1].end() + len(boxed):
            return said
        return boxed and _joined(text, [box.start() for box in boxes], [box.end() for box in boxes], boxed)
    if said:
        return said
    bare = text.strip()
    return bare if _is_bare(bare) else _concluded(bare)


def _joined(text: str, starts: list[int], ends: list[int], boxed: str) -> str:
    """Return the last box with those right before it that are one answer with it: "\\boxed{1} and \\boxed{2}"."""
    said = [boxed]
    for place in range(len(ends) - 2, max(len(ends) - 12, -1), -1):
        before = _closed_from(text, ends[place])
        if before is None:
            break
        between = text[text.find("}", ends[place] + len(before)) + 1 : starts[place + 1]]
        if (
            len(between) > 60
            or _DOUBT.search(between)
            or (between.strip("$ ") and not _JOINT.fullmatch(between))
        ):
            break
        said.insert(0, before)
    return ", ".join(said)


def _last_named(text: str, *, after: int) -> tuple[int, str | None]:
    """Return place and words of the last answer named; behind a box only a final one counts."""
    found = [
        match for match in _NAMED.finditer(text) if after < 0 or (match["final"] and match.start() > after)
    ]
    if after < 0:
        found += [match for pattern in (_PICKED, _REPLIED, _TAGGED) for match in pattern.finditer(text)]
        found += _last_letter(text)
    for match in sorted(found, key=lambda match: match.end("said"), reverse=True):
        if said := _innermost(_formula_opened(text, match)):
            return match.start(), said
    return -1, None


def _last_letter(text: str) -> Iterator["re.Match[str]"]:
    """Yield the option that the last sentence calls the answer, unless it is denied there."""
    start = max(text.rfind(". ", 0, -2), text.rfind("\n", 0, -1), 0)
    found = _LAST_LETTER.search(text, start)
    if found and found["said"].isupper() and not DENIED.search(text, start):
        yield found


def _formula_opened(text: str, match: "re.Match[str]") -> str:
    """Return what a heading says, to its end where it opens a formula that runs over several lines."""
    said = match["said"]
    closing = _OPENED.get(said.strip(" *_"))
    if closing is None:
        return said
    start = match.end("said")
    end = text.find(closing, start)
    return text[start:end] if end >= 0 else said


def _innermost(said: str) -> str:
    """Return what a heading names that is followed by another: "Final Answer: Answer: 5"."""
    said = _POLITE.sub("", said)
    while (
        again := _NAMED.match(said.lstrip(CLOSING))
        or _PICKED.match(said)
        or _NAMED.match(_without_article(said))
    ):
        if not again["said"].strip(CLOSING):
            break
        said = again["said"]
    corrected = _CORRECTED.search(said)
    if corrected and (again := _NAMED.search(said, corrected.end())) and again["said"].strip(CLOSING):
        return _bare(again["said"])
    return _bare(said)


def _without_article(said: str) -> str:
    return re.sub(r"^[\s*_]*the\s", "", said, flags=re.IGNORECASE)


def _bare(said: str) -> str:
    return said.lstrip(' \t\n*_`:："“').rstrip(CLOSING + '"”')


def _closed_from(text: str, start: int) -> str | None:
    """Return what stands in a brace that opened just before `start`, or None if it never closes."""
    depth = 1
    for brace in re.finditer(r"\\[{}]|[{}]", text[start : start + LONGEST]):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if not depth:
            return text[start : start + brace.start()].strip() or None
    return None


def _is_bare(text: str) -> bool:
    if not text or "\n" in text:
        return False
    return is_letters_or_number(text) or bool(_WHOLE_FORMULA.fullmatch(text))


def is_letters_or_number(text: str) -> bool:
    """Tell whether a text is nothing but option letters, or a number with its unit."""
    plain = folded(text).strip("()[]【】 .。:*")
    return bool(LETTER_KEY.fullmatch(plain)) or quantity(text) is not None


def _concluded(text: str) -> str | None:
    """Return what a reply's last line concludes in bold: "Thus there are **9** divisors."."""
    last = text.rpartition("\n")[2]
    bold = _BOLD.findall(last)
    if len(bold) != 1 or not last.rstrip().endswith((".", "。", "*", "$", "!")):
        return None
    whole = last.strip(" *#.。") == bold[0].strip(" .。")
    return _bare(bold[0]) if whole or (_CONCLUDING.search(last) and not DENIED.search(last)) else None
