"""The stretches of a text that are never cut: formulas, code and tables."""

import re
from bisect import bisect_right
from collections.abc import Iterator

LONGEST_WHOLE = 6_000  # characters; what is open for longer was never meant to be closed
FEW = 20
_OPENS = re.compile(
    r"\\\\|\\\$|^[ \t]*(?P<fence>```|~~~)|\\begin\{(?P<name>[A-Za-z]{1,20}\*?)\}|(?P<opener>\$\$|\\\[|\\\()|"
    r"\$(?![\s$])[^$\n]{1,400}(?<!\s)\$(?!\d)",
    re.MULTILINE,
)
_CLOSERS = {"$$": "$$", r"\[": r"\]", r"\(": r"\)"}
_TABLE = re.compile(r"(?:^[ \t]*\|.*(?:\n|\Z)){2,}", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_PROSE = re.compile(r"(?:[A-Za-z]{2,}[,.]? ){5}|[\u4e00-\u9fff，]{10}")


class Wholes:
    """Where they begin and end, in order."""

    def __init__(self, text: str) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        spans = [*_formulas_and_code(text), *(found.span() for found in _TABLE.finditer(text))]
        for start, end in sorted(spans):
            if end - start <= LONGEST_WHOLE and (not self.ends or start >= self.ends[-1]):
                self.starts.append(start)
                self.ends.append(end)

    def holds(self, place: int) -> bool:
        """Tell whether a cut before this character would part one."""
        at = bisect_right(self.starts, place) - 1
        return at >= 0 and self.starts[at] < place < self.ends[at]

    def fill(self, text: str, start: int, end: int) -> bool:
        """Tell whether a stretch is one of them, and at most a few words after it."""
        at = bisect_right(self.starts, end - 1) - 1
        while at > 0 and self.starts[at - 1] >= start:
            at -= 1
        return (
            at >= 0
            and self.starts[at] >= start
            and not text[start : self.starts[at]].strip()
            and (len(text[self.ends[at] : end].strip()) <= FEW)
        )


def _formulas_and_code(text: str) -> Iterator[tuple[int, int]]:
    """Go once over a text; nothing is looked for twice in the same place."""
    nowhere_before: dict[str, int] = {}  # by closer: where a search that found none has ended
    at = 0
    while found := _OPENS.search(text, at):
        at = found.end()
        closer = _closer(found)
        if closer is None:
            if found[0][0] == "$":
                yield found.span()
            continue
        until = at + LONGEST_WHOLE
        end = text.find(closer, max(at, nowhere_before.get(closer, 0)), until)
        if end < 0:
            nowhere_before[closer] = max(at, until - len(closer))
        elif not _is_prose(text[at:end], closer):
            at = end + len(closer)
            yield found.start(), at


def _closer(found: re.Match[str]) -> str | None:
    if found["fence"]:
        return f"\n{found['fence']}"
    if found["name"]:
        return f"\\end{{{found['name']}}}"
    return _CLOSERS.get(found["opener"] or "")


def _is_prose(content: str, closer: str) -> bool:
    """Tell whether what seems a formula is paragraphs between a sign too many and the next formula."""
    return closer == "$$" and bool(_BLANK_LINE.search(content) and _PROSE.search(content))
