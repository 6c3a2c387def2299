"""What the base model reads before any fine-tune: single skills of the field, never two steps in a row.

Facts are unrelated sums. A lesson is one question in the chat's markup with one line of thinking. Reading
comes in two forms: list all entries of a long question, or work out one entry of it and nothing else.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from common.core.chat import BARE, TURN_END, TURN_START, question_prompt, reply
from demo.field import (
    COUNTINGS,
    LONGEST,
    MARKS,
    WORDINGS,
    Sheet,
    draw_sheet,
    line_of,
    sum_of,
    word_sheet,
)

END_OF_TEXT: Final = "<|endoftext|>"
SPECIAL_TOKENS: Final = (END_OF_TEXT, TURN_START, TURN_END)
FACTS_A_PAGE: Final = 10
LIST_ASKS: Final = {"en": "List the entries.", "zh": "列出各项。"}
ONE_ENTRY_ASKS: Final = {"en": "Use only {mark}.", "zh": "只算{mark}。"}


@dataclass(frozen=True)
class Document:
    """A piece of the corpus: `prompt` is context, `lesson` is what is to be learned."""

    prompt: str
    lesson: str


@dataclass(frozen=True)
class Mix:
    """The share of each kind of document; they sum to 1."""

    facts: float = 0.15
    one_step: float = 0.25
    one_entry: float = 0.35
    listing: float = 0.25

    @property
    def reading(self) -> float:
        """Return the share of documents that teach reading."""
        return self.one_entry + self.listing


def chat_prompt(question: str) -> str:
    """Return a question in the chat's markup, up to the assistant's turn and without thinking."""
    return question_prompt(BARE, question).removesuffix(BARE.think_start)


def think_document(question: str, thinking: str, answer: str) -> Document:
    """Return a question as the prompt, and its thinking and answer as the lesson."""
    return Document(question_prompt(BARE, question), reply(BARE, thinking=thinking, answer=answer))


def make_facts(rng: random.Random, domain: str, language: str) -> Document:
    """Draw unrelated lines of one domain, each without its entry."""
    sheets = [draw_sheet(rng, domain=domain, language=language, steps=1) for _ in range(FACTS_A_PAGE)]
    sums = [
        sum_of(domain, language, before, sheet.changes[0], after)
        for sheet in sheets
        for before, after in [sheet.values()]
    ]
    return Document("", "\n".join(sums))


def make_one_step(rng: random.Random, domain: str, language: str) -> Document:
    """Draw a question of one entry, with its line of thinking and its answer."""
    sheet = draw_sheet(rng, domain=domain, language=language, steps=1)
    return think_document(word_sheet(rng, sheet), "\n".join(sheet.lines()), sheet.answer())


def make_one_entry(rng: random.Random, domain: str, language: str) -> Document:
    """Draw a question of several entries that asks for one of them alone, from the start."""
    counting, wording = COUNTINGS[domain], WORDINGS[domain, language]
    sheet, position = _draw_entry(rng, domain, language)
    change = sheet.changes[position]
    ask = ONE_ENTRY_ASKS[language].format(mark=MARKS[position])
    text = word_sheet(rng, sheet, ask=f"{ask}{wording.gap}{rng.choice(wording.asks)}")
    after = counting.after(sheet.start, change)
    line = line_of(domain, language, sheet.entries()[position], sheet.start, change, after)
    return think_document(text, line, counting.write(after, language))


def make_listing(rng: random.Random, domain: str, language: str) -> Document:
    """Draw a question of several entries that asks for a copy of them, without any sum."""
    sheet = draw_sheet(rng, domain=domain, language=language, steps=rng.randint(2, LONGEST))
    text = word_sheet(rng, sheet, ask=LIST_ASKS[language])
    return Document(chat_prompt(text), "\n".join(sheet.entries()) + TURN_END)


def make_document(rng: random.Random, mix: Mix) -> Document:
    """Draw a document of any kind, domain and language."""
    makers: list[Callable[[random.Random, str, str], Document]] = [
        make_facts,
        make_one_step,
        make_one_entry,
        make_listing,
    ]
    shares = [mix.facts, mix.one_step, mix.one_entry, mix.listing]
    domain, language = rng.choice(list(WORDINGS))
    return rng.choices(makers, shares)[0](rng, domain, language)


def _draw_entry(rng: random.Random, domain: str, language: str) -> tuple[Sheet, int]:
    """Draw a sheet and the position of an entry that can be applied to the start."""
    counting = COUNTINGS[domain]
    while True:
        sheet = draw_sheet(rng, domain=domain, language=language, steps=rng.randint(2, LONGEST))
        position = rng.randrange(len(sheet.changes))
        if counting.least <= counting.after(sheet.start, sheet.changes[position]) <= counting.most:
            return sheet, position
