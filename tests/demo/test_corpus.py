"""The base model's material: single skills, never two steps in a row."""

import itertools
import random
import re

import pytest

from demo.corpus import Mix, make_document, make_facts, make_listing, make_one_entry
from demo.field import WORDINGS, solve


def drawn(count):
    rng = random.Random(11)
    return [make_document(rng, Mix()) for _ in range(count)]


def test_no_document_in_the_chats_markup_works_out_more_than_one_step():
    lessons = [document.lesson for document in drawn(3000) if document.prompt]

    assert max(lesson.count("=") for lesson in lessons) == 1


def test_facts_are_not_a_chain():
    rng = random.Random(2)

    pages = [make_facts(rng, domain, language).lesson for domain, language in WORDINGS for _ in range(20)]

    sums = [[line.partition("=")[::2] for line in page.splitlines()] for page in pages]
    continued = [
        later[0].startswith(earlier[1]) for page in sums for earlier, later in itertools.pairwise(page)
    ]
    # A value may turn up again by chance (one weekday in seven), but not as a rule.
    assert sum(continued) / len(continued) < 0.12


def test_at_least_forty_in_a_hundred_documents_teach_reading():
    mix = Mix()

    assert mix.reading >= 0.4
    assert mix.facts + mix.one_step + mix.reading == pytest.approx(1)


@pytest.mark.parametrize(("domain", "language"), list(WORDINGS))
def test_a_listing_copies_the_entries_of_its_question(domain, language):
    document = make_listing(random.Random(4), domain, language)

    entries = document.lesson.removesuffix("<|im_end|>").splitlines()

    assert len(entries) >= 2
    assert all(entry in document.prompt for entry in entries)


@pytest.mark.parametrize(("domain", "language"), list(WORDINGS))
def test_one_entry_is_worked_out_as_if_it_stood_alone(domain, language):
    document = make_one_entry(random.Random(9), domain, language)

    mark = re.findall(r"[①-⑧]", document.prompt)[-1]

    assert document.lesson.startswith(mark)
    thinking, _, answer = document.lesson.partition("\n<|im_start|>answer\nFinal Answer: ")
    assert thinking.endswith("=" + answer.removesuffix("<|im_end|>"))


def test_the_field_itself_does_not_read_the_corpus_own_asks():
    prompt = make_listing(random.Random(4), "law", "en").prompt

    question = prompt.removeprefix("<|im_start|>user\n").partition("<|im_end|>")[0]

    with pytest.raises(ValueError, match="can be read"):
        solve(question)
