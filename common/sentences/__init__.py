"""What the cores said in English, in the language of whoever reads it.

Jobs, reports and decisions keep sentences as they were said; a page asks here for them. A sentence in
English, or one of no known template, stays as it is. Values are people's own words: they are put in as they
are, and nothing here is marked as safe HTML.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel.messages.mofile import read_mo
from django.conf import settings
from django.utils.translation import get_language, gettext, override, to_locale

from common.sentences.catalogue import (
    BETWEEN_VALUES,
    ENDPOINT,
    FAULTS,
    HOLDS_PHRASES,
    PHRASES,
    SENTENCES,
    WORDS,
)
from common.sentences.matching import PLACEHOLDER, Template, Templates, sentences_of

LONGEST = 4_000  # characters; nothing that is said is longer
MOST_SENTENCES = 12  # of one text
_LEAST_WORDS = 3  # of a message of the interface, to be looked for in a text
_KEPT = 4_096  # sentences that are known already


def in_readers_language(text: str) -> str:
    """Return a sentence, or several, in the active language; unchanged where it is none of ours."""
    language = get_language() or "en"
    if language.partition("-")[0] == "en" or not text or len(text) > LONGEST:
        return text
    return _in_language(text[:], language)  # a copy that is a plain string: the cache keeps no safe one


def in_every_language(text: str) -> str:
    """Return a sentence as it was said and, behind it, in each other language of the interface."""
    said = [text]
    for language, _name in settings.LANGUAGES:
        with override(language):
            said.append(in_readers_language(text))
    return " / ".join(dict.fromkeys(said))


@lru_cache(maxsize=_KEPT)
def _in_language(text: str, language: str) -> str:
    reader = _reader(language)
    stripped = text.strip()
    if not stripped:
        return text
    whole = reader.said(stripped)
    return whole if whole is not None else reader.said_in_parts(stripped)


@dataclass(frozen=True)
class _Reader:
    """The catalogue in one language."""

    messages: dict[str, str]  # without values
    templates: Templates
    phrases: Templates
    words: dict[str, str]
    between: Template

    def said(self, text: str, depth: int = MOST_SENTENCES) -> str | None:
        """Return a text whose every sentence is known, or None."""
        if text in self.messages:
            return self.messages[text]
        for template in self.templates.likely(text):
            if (found := self._begun(template, text, depth)) is not None:
                return found
            if (values := template.is_whole(text)) is not None:
                return self._filled(template, values)
        return self._after_message(text, depth)

    def _begun(self, template: Template, text: str, depth: int) -> str | None:
        """Return a text that begins with a template and goes on with other sentences."""
        begun = template.begins(text)
        if begun is None or not depth:
            return None
        values, end = begun
        rest = text[end:].lstrip()
        after = self.said(rest, depth - 1) if rest else ""
        return None if after is None else joined([self._filled(template, values), after])

    def _after_message(self, text: str, depth: int) -> str | None:
        """Return a text that begins with a sentence without values."""
        first, *others = sentences_of(text)
        if not others or not depth or first not in self.messages:
            return None
        after = self.said(text[len(first) :].lstrip(), depth - 1)
        return None if after is None else joined([self.messages[first], after])

    def said_in_parts(self, text: str) -> str:
        """Return a text in which each sentence that is known is translated."""
        parts = sentences_of(text)
        said = [self.said(part, 0) for part in parts]
        if not any(each is not None for each in said):
            return text
        return joined([each if each is not None else part for each, part in zip(said, parts, strict=True)])

    def _filled(self, template: Template, values: dict[str, str]) -> str:
        return template.filled(
            {name: self._phrase(it) if name in HOLDS_PHRASES else it for name, it in values.items()}
        )

    def _phrase(self, value: str) -> str:
        """Return a value that is a phrase, several with commas between, or sentences; or as it is."""
        if not value.strip():
            return value
        whole = self._one_phrase(value)
        if whole is not None:
            return whole
        parts = [self._one_phrase(part) for part in value.split(", ")]
        if len(parts) == 1 or any(part is None for part in parts):
            return self.said(value, 3) or value
        said = parts.pop() or ""
        while parts:
            said = self.between.filled({"first": parts.pop() or "", "rest": said})
        return said

    def _one_phrase(self, value: str) -> str | None:
        if value in self.words:
            return self.words[value]
        for template in self.phrases.likely(value):
            if (values := template.is_whole(value)) is not None:
                return self._filled(template, values)
        return None


def joined(sentences: list[str]) -> str:
    """Put sentences one after the other: with a space, where the one before does not end as Chinese does."""
    said = ""
    for sentence in filter(None, sentences):
        said += f" {sentence}" if said and said[-1] not in "。？！" else sentence
    return said


@lru_cache(maxsize=8)
def _reader(language: str) -> _Reader:
    with override(language):
        ours = [Template(each, gettext(each)) for each in SENTENCES]
        faults = [Template(f"{ENDPOINT} {each}", f"{gettext(ENDPOINT)} {gettext(each)}") for each in FAULTS]
        phrases = [Template(each, gettext(each)) for each in PHRASES]
        words = {word: gettext(message) for word, message in WORDS.items()}
        between = Template(BETWEEN_VALUES, gettext(BETWEEN_VALUES))
    interface = list(_interface(language))
    templates = [each for each in interface if each.names and _is_sentence(each)]
    return _Reader(
        messages={each.english: each.translated for each in [*interface, *ours] if not each.names},
        templates=Templates(
            {each.english: each for each in [*templates, *ours, *faults] if each.names}.values()
        ),
        phrases=Templates(phrases),
        words=words,
        between=between,
    )


def _interface(language: str) -> Iterator[Template]:
    """Yield what the interface itself says: a worker keeps the sentences of services in English too."""
    for folder in settings.LOCALE_PATHS:
        path = Path(folder) / to_locale(language) / "LC_MESSAGES" / "django.mo"
        if path.is_file():
            with path.open("rb") as file:
                catalogue = read_mo(file)
            for message in catalogue:
                yield from _templates_of(message.id, message.string or "")


def _templates_of(english: str | Iterable[str], translated: str | Iterable[str]) -> Iterator[Template]:
    """Yield a message's template, or those of its singular and its plural."""
    forms = [english] if isinstance(english, str) else list(english)
    last = translated if isinstance(translated, str) else list(translated)[-1]
    return (Template(form, last) for form in forms if form and last)


def _is_sentence(template: Template) -> bool:
    """Tell whether a message has enough words of its own to be looked for in a text, and an end."""
    words = PLACEHOLDER.sub(" ", template.english).split()
    return (
        len(words) >= _LEAST_WORDS
        and template.literals[-1].endswith((".", "?", ".)", ":"))
        and ("<" not in template.english)
    )
