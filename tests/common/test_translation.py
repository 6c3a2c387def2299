"""The Chinese interface: every message is translated, and each translation can be filled as its original is."""

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.pofile import read_po

CATALOGUE = Path(__file__).parents[2] / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%")
TAG = re.compile(r"</?\w+[^>]*>")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, abort_invalid=True)


def forms(text: str | list[str] | tuple[str, ...]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def held(pattern: re.Pattern[str], text: str) -> Counter[str]:
    return Counter(pattern.findall(text))


def agrees(pattern: re.Pattern[str], message: Message) -> bool:
    """Whether each translation holds what one of the originals holds: a single form may stand for either."""
    wanted = [held(pattern, text) for text in forms(message.id)]
    return all(held(pattern, text) in wanted for text in forms(message.string))


def test_every_message_is_translated(catalogue):
    found = messages(catalogue)

    untranslated = [message.id for message in found if not all(forms(message.string))]

    assert found
    assert untranslated == []


def test_no_translation_is_a_guess_that_nobody_checked(catalogue):
    fuzzy = [message.id for message in messages(catalogue) if message.fuzzy]

    assert fuzzy == []
    assert not catalogue.fuzzy


def test_a_message_has_the_one_form_that_chinese_has(catalogue):
    counts = {len(forms(message.string)) for message in messages(catalogue)}

    assert catalogue.num_plurals == 1
    assert counts == {1}


@pytest.mark.parametrize("pattern", [PLACEHOLDER, TAG], ids=["placeholders", "tags"])
def test_placeholders_and_tags_of_a_translation_are_those_of_its_original(catalogue, pattern):
    apart = [message.id for message in messages(catalogue) if not agrees(pattern, message)]

    assert any(held(pattern, forms(message.id)[0]) for message in messages(catalogue))
    assert apart == []


def test_the_catalogue_compiles_without_an_error(catalogue):
    errors = [(message.id, list(map(str, found))) for message, found in catalogue.check()]

    assert errors == []
