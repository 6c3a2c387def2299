"""The template that a sentence was made from, found again without a search by regular expression."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

PLACEHOLDER = re.compile(r"%\((\w+)\)([a-z])|%%")
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")


@dataclass(frozen=True)
class Template:
    """A sentence with named values, and the same in the reader's language."""

    english: str
    translated: str

    @cached_property
    def names(self) -> tuple[tuple[str, bool], ...]:
        """Return the values in their order, and of each whether it is a number."""
        return tuple((found[1], found[2] == "d") for found in PLACEHOLDER.finditer(self.english) if found[1])

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """Return the words before, between and after the values: one more than there are values."""
        marked = PLACEHOLDER.sub(lambda found: "\0" if found[1] else "%", self.english)
        return tuple(marked.split("\0"))

    @cached_property
    def weight(self) -> int:
        """Return how many characters are its own."""
        return sum(map(len, self.literals))

    @cached_property
    def mark(self) -> str:
        """Return its longest words, without which a text cannot be of it."""
        return max(self.literals, key=len)

    def begins(self, text: str) -> tuple[dict[str, str], int] | None:
        """Return the values and the end of the shortest beginning of a text that is of this template."""
        return self._matched(text, is_whole=False)

    def is_whole(self, text: str) -> dict[str, str] | None:
        """Return the values of a text that is of this template from its beginning to its end."""
        found = self._matched(text, is_whole=True)
        return found and found[0]

    def _matched(self, text: str, *, is_whole: bool) -> tuple[dict[str, str], int] | None:
        # The first place of each literal is as good as any later one, so nothing is tried twice.
        first, *others = self.literals
        if not text.startswith(first):
            return None
        place, said = len(first), []
        for literal in others[:-1]:
            found = text.find(literal, place)
            if found < 0:
                return None
            said.append(text[place:found])
            place = found + len(literal)
        if not others:
            return ({}, place) if _is_end(text, place, is_whole) else None
        found = _last_place(text, others[-1], place, is_whole)
        if found < 0:
            return None
        said.append(text[place:found])
        if any(
            number and not _NUMBER.fullmatch(it) for (_, number), it in zip(self.names, said, strict=True)
        ):
            return None
        values = {name: it for (name, _), it in zip(self.names, said, strict=True)}
        return values, found + len(others[-1])

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the translation with its values; they are text, whatever stands in them."""
        return PLACEHOLDER.sub(
            lambda found: values.get(found[1], found[0]) if found[1] else "%", self.translated
        )


def _is_end(text: str, place: int, is_whole: bool) -> bool:
    return place == len(text) or (not is_whole and text[place].isspace())


def _last_place(text: str, literal: str, place: int, is_whole: bool) -> int:
    """Return where the last words of a template stand in a text, or -1."""
    if is_whole or not literal:
        last = len(text) - len(literal)
        return last if last >= place and text.endswith(literal) else -1
    while (found := text.find(literal, place)) >= 0:
        if _is_end(text, found + len(literal), False):
            return found
        place = found + 1
    return -1


class Templates:
    """Many templates, by the word that they begin with, or else by their longest words."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._by_first_word: dict[str, list[Template]] = {}
        self._others: list[Template] = []
        for template in sorted(templates, key=lambda each: -each.weight):
            first = template.literals[0]
            word, space, _rest = first.partition(" ")
            if word and (space or len(template.literals) == 1):
                self._by_first_word.setdefault(word, []).append(template)
            else:
                self._others.append(template)

    def likely(self, text: str) -> Iterable[Template]:
        """Return the templates that a text may begin with: those with its first word go first."""
        yield from self._by_first_word.get(text.split(None, 1)[0], ())
        yield from (template for template in self._others if template.mark in text)


def sentences_of(text: str) -> list[str]:
    """Part a text where a sentence seems to end."""
    return _SENTENCE_END.split(text)
