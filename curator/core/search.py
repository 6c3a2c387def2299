"""A person's search words as a query: words, "phrases", -what is not wanted, Chinese without spaces.

PostgreSQL's index knows words, folded as English ones are, and every CJK character as a word. What
it cannot tell (a run of characters, the order in a phrase) is held against the text itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

LONGEST_SEARCH = 200  # characters
MOST_TERMS = 20
SHORTEST_PREFIX = 2  # characters; fewer begin too many words
# The characters that question_words() parts: each is a word of the index.
_PARTED = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af"
_IS_PARTED = re.compile(f"[{_PARTED}]")
_TERM = re.compile(r'(?P<no>[-－])?(?:["“”「](?P<phrase>[^"“”」]*)["“”」]?|(?P<word>[^\s"“”「」]+))')
_SCRIPT = re.compile(f"[{_PARTED}]+|[^{_PARTED}]+")
_WORD = re.compile(f"[{_PARTED}]|[^\\W_{_PARTED}][^\\s{_PARTED}]*")
_NUMBER = re.compile(r"[#＃](\d{1,18})")
_UNTYPED = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Term:
    """One thing that a question must say, or must not."""

    text: str
    is_phrase: bool = False
    is_excluded: bool = False
    is_prefix: bool = False  # the person may be typing it still

    @property
    def is_literal(self) -> bool:
        """Tell whether the index cannot decide alone, so that the text itself is read."""
        alone = len(self.text) == 1 and bool(_IS_PARTED.match(self.text))
        return not alone and (self.is_phrase or bool(_IS_PARTED.match(self.text)) or not self._words)

    @property
    def pattern(self) -> str:
        """Return it as a pattern of LIKE, in which nothing that was typed is a wildcard."""
        plain = self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"%{plain}%"

    @property
    def words(self) -> str:
        """Return it in the syntax of to_tsquery, empty where it says nothing that the index knows."""
        if self.is_excluded:
            return "" if self.is_literal else "".join(f"!{word}" for word in self._words)
        return " & ".join(f"{word}:*" if self.is_prefix else word for word in self._words)

    @property
    def whole(self) -> str:
        """Return it in the syntax of to_tsquery, as a word that does not go on."""
        return " & ".join(self._words)

    @property
    def _words(self) -> list[str]:
        found = dict.fromkeys(_WORD.findall(self.text))
        return ["'{}'".format(word.replace("\\", "\\\\").replace("'", "''")) for word in found]


@dataclass(frozen=True)
class Search:
    """What a person looks for; every term must hold."""

    typed: str
    terms: tuple[Term, ...]

    @property
    def number(self) -> int | None:
        """Return the question's own number where "#123" was typed, and nothing else."""
        named = _NUMBER.fullmatch(self.typed)
        return int(named[1]) if named else None

    @cached_property
    def words(self) -> str:
        """Return the whole in the syntax of to_tsquery, empty where the index knows none of it."""
        return " & ".join(words for term in self.terms if (words := term.words))

    @property
    def wanted(self) -> str:
        """Return what a question must say, without what it must not, in the syntax of to_tsquery."""
        return " & ".join(words for term in self.terms if not term.is_excluded and (words := term.words))

    @property
    def literals(self) -> tuple[Term, ...]:
        """Return the terms that are held against the text beside the words."""
        return tuple(term for term in self.terms if term.is_literal)


def read_search(typed: str) -> Search:
    """Read what a person typed; too long a text and too many terms are cut."""
    text = _UNTYPED.sub(" ", typed[:LONGEST_SEARCH])
    terms = list(_terms(text))[:MOST_TERMS]
    if terms and _may_go_on(terms[-1], text):
        terms[-1] = Term(terms[-1].text, is_prefix=True)
    return Search(text.strip(), tuple(terms))


def _terms(text: str) -> Iterator[Term]:
    for found in _TERM.finditer(text):
        is_excluded = found["no"] is not None
        if found["phrase"] is not None:
            phrase = found["phrase"].strip()
            yield from [Term(phrase, is_phrase=True, is_excluded=is_excluded)] if phrase else []
        else:
            for part in _SCRIPT.findall(found["word"]):
                yield Term(part, is_excluded=is_excluded)


def _may_go_on(term: Term, text: str) -> bool:
    """Tell whether a term is a word that more letters may follow; a number means itself."""
    is_open = not (term.is_phrase or term.is_excluded or term.is_literal)
    is_word = (
        len(term.text) >= SHORTEST_PREFIX and not term.text.isdigit() and not _IS_PARTED.match(term.text)
    )
    return is_open and is_word and text.endswith(term.text)
