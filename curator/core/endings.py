"""What is still open where a text ends: a formula, code, a bracket, or its last sentence."""

import re

READ = 4_000  # characters of the end in which a formula may have begun
LEAST_WORDS, LEAST_IDEOGRAPHS = (
    6,
    12,
)  # of a last line that ends without a stop and is a sentence all the same
_FENCE = re.compile(r"^[ \t]{0,3}(?:```|~~~)", re.MULTILINE)
_FRAME = re.compile(r"\\(begin|end)\s?\{([A-Za-z]{1,20}\*?)\}")
_DOLLARS = re.compile(r"(?<!\\)\$\$")
_OPEN_FORMULA = re.compile(r"(?<![\\$])\$(?=[^$\n]*\\[A-Za-z])(?![\s\d])[^$\n]{1,400}\Z")
_BOX = re.compile(r"\\(?:boxed|fbox)\s?\{")
_STOPS = tuple(".!?。！？…:：;；)]}\"'”’»】）》』」*_`$|>~✓✔✅❌✗%")
_HANGING = re.compile(
    r"(?:[,，、(（\[{=+×÷<≈\\&^]|[-–—]|\b(?:the|a|an|of|and|or|to|is|are|that|which|with|for|in|by|as|from|because|but|if|so|"
    r"we|let|then|since|where|when)|[的和与是为因把将在对从以及或而])\Z"
)
_LABEL = re.compile(r"[-*•#>|]|\d{1,3}[.)、]|[^:：]{0,40}[:：]|.*[:：](?:\s*\S+){0,5}\Z")
_MATHS = re.compile(r"[\\=^_]")


def breaks_off(text: str) -> tuple[int, str]:
    """Return where what is still open at a text's end began, and what it is; "" where nothing is."""
    whole = text.rstrip()
    if not whole:
        return 0, ""
    place, why = _open_at(whole)
    return (place, why) if why else _broken_off(whole)


def _open_at(text: str) -> tuple[int, str]:
    """Return where what is still open began, and what it is."""
    fences = [found.start() for found in _FENCE.finditer(text)]
    if len(fences) % 2:
        return fences[-1], "code"
    start = max(0, len(text) - READ)
    end = text[start:]
    for opening, closing in (("\\[", "\\]"), ("\\(", "\\)")):
        place = _unescaped(end, opening)
        if place > end.rfind(closing):
            return start + place, "formula"
    dollars = [found.start() for found in _DOLLARS.finditer(text)]
    if len(dollars) % 2 and dollars[-1] >= start and _MATHS.search(text, dollars[-1]):
        return dollars[-1], "formula"
    frames = list(_FRAME.finditer(end))
    if frames and frames[-1][1] == "begin":
        return start + frames[-1].start(), "formula"
    if found := _OPEN_FORMULA.search(end, end.rfind("\n") + 1):
        return start + found.start(), "formula"
    return _open_box(end, start)


def _unescaped(text: str, opening: str) -> int:
    """Return where the last opening stands that no backslash escapes: "\\\\[4pt]" opens nothing."""
    place = text.rfind(opening)
    while place > 0 and text[place - 1] == "\\":
        place = text.rfind(opening, 0, place - 1)
    return place


def _open_box(end: str, start: int) -> tuple[int, str]:
    boxes = list(_BOX.finditer(end))
    if not boxes:
        return 0, ""
    depth = 1
    for brace in re.finditer(r"\\[{}]|[{}]", end[boxes[-1].end() :]):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if not depth:
            return 0, ""
    return start + boxes[-1].start(), "box"


def _broken_off(text: str) -> tuple[int, str]:
    """Return where the last line begins if it breaks off in the middle of a sentence."""
    start = max(text.rfind("\n") + 1, len(text) - READ)
    last = text[start:].strip().rstrip("*_")
    if not last or last[-1] in _STOPS:
        return 0, ""
    if _HANGING.search(last) and not _is_rule(last):
        return start + _last_sentence(text[start:]), "word"
    if not last[-1].isalnum() or _LABEL.match(last):
        return 0, ""
    sentence = last[_last_sentence(last) :]
    cjk = re.findall(r"[一-鿿]", sentence)
    words = sentence.split()
    is_list = 2 * sentence.count(",") > len(words)
    if is_list or (len(set(words)) < LEAST_WORDS and len(cjk) < LEAST_IDEOGRAPHS):
        return 0, ""
    return start + _last_sentence(text[start:]), "sentence"


def _is_rule(line: str) -> bool:
    return not any(map(str.isalnum, line))


def _last_sentence(line: str) -> int:
    return max((found.end() for found in re.finditer(r"[.!?]\s|[。！？]", line[:-1])), default=0)
