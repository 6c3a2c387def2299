"""A dataset's card: what the hub reads of it, and what people read."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from curator.core.card import Described, count_domains, escaped, lengths, limits, readme, size_category
from curator.core.licences import Source, Together, licence_from, terms_from

CARD = {
    "method": {"name": "s1-paper"},
    "size": 3,
    "seed": 7,
    "funnel": [{"stage": "leak", "kept": 4, "dropped": 2}, {"stage": "draw", "kept": 3, "dropped": 1}],
    "right": 2,
    "reviewed": 2,
    "reviewers": 2,
    "rejected": 1,
    "edited": 1,
    "instructive": 1,
    "chosen_by_experts": 0,
    "scripted_reviews": 4,
    "stand_in_teachers": ["Ada"],
    "languages": {"zh": 2, "en": 1},
    "domains": [{"code": "T", "name": "税法", "rows": 2}, {"code": "", "name": "", "rows": 1}],
    "tokens": lengths([10, 20, 4000]),
    "pools": [{"name": "bank", "licence": "MIT", "provenance": "exam | 2024\n<b>", "rows": 3}],
    "agreement_measured": {
        "pairs": 20,
        "percent": 0.9,
        "percent_interval": [0.7, 0.97],
        "kappa": 0.8,
        "alpha": None,
    },
    "decontamination": {
        "benchmarks": [{"name": "paper", "items": 40, "hash": "c" * 64}],
        "left_out": 2,
        "let_in": 1,
    },
    "lineage": {"members": "d" * 64, "files_of_questions": [{"file": "a.csv", "sha256": "e" * 64}]},
    "code_version": "selection 3",
    "versions": {"python": "3.11"},
}
TOGETHER = Together(
    (
        Source("pool", "bank", licence_from("CC-BY-NC-4.0"), 2),
        Source("pool", "wiki", licence_from("CC-BY-SA-4.0"), 1),
        Source("teacher", "Ada", terms_from("MIT"), 3),
    )
)
DESCRIBED = Described("首版: v1", "a" * 64, 3, "2026-01-02", CARD, TOGETHER, "b" * 64)


def header_of(text):
    return yaml.safe_load(text.split("---\n")[1])


def test_the_header_has_what_the_hub_expects():
    header = header_of(readme(DESCRIBED))

    assert header["license"] == ["cc-by-nc-4.0", "cc-by-sa-4.0"]
    assert header["language"] == ["en", "zh"]
    assert (header["pretty_name"], header["size_categories"]) == ("首版: v1", ["n<1K"])
    assert header["task_categories"] == ["question-answering", "text-generation"]
    assert header["configs"][0]["data_files"] == [{"split": "train", "path": "data/train.parquet"}]
    assert header["dataset_info"]["splits"][0]["num_examples"] == 3


@pytest.mark.parametrize(
    "words",
    [
        "Most restrictive condition of all sources: **no commercial use**.",
        "- pass on under the same licence (share-alike): wiki",
        "CC-BY-NC-4.0 and CC-BY-SA-4.0 cannot both hold for one work.",
        "| bank | CC-BY-NC-4.0 | 2 | exam \\| 2024 \\<b\\> |",
        "| Ada (a stand-in: a program that plays a model) | 3 | MIT |",
        "Method `s1-paper`, size 3, seed 7.",
        "| leak | 4 | 2 |",
        "Left out by reviewers: 1.",
        "Traces that a person put right: 1.",
        "| 税法 | 2 |",
        "| Thinking tokens | least | q10 | q25 | median | q75 | q90 | most | mean |",
        "|  | 10 | 10 | 10 | 20 | 4,000 | 4,000 | 4,000 | 1,343.3 |",
        "| no domain | 1 |",
        "Answers that agree with the key: 2 of 3 (66.7%).",
        "Pairs of judgements that agree: 90.0% (70.0% to 97.0%) of 20; Cohen's kappa 0.80, Krippendorff's alpha not defined.",
        "| paper | 40 | cccccccccccc |",
        "Questions left out because a benchmark holds them: 2.",
        "These teachers are stand-ins, programs that play a model: Ada.",
        "4 judgements were made by a script that stood in for an expert.",
        "1 of 3 traces were judged by nobody.",
        "1 answers do not agree with the key, or could not be compared with it.",
        f"It was branched from version `{'b' * 64}`.",
        f"SHA-256 over the canonical rows: `{'a' * 64}`.",
        f"- members: `{'d' * 64}`",
        'load_dataset("path/to/this/folder", split="train")',
    ],
)
def test_the_card_tells_people(words):
    assert words in readme(DESCRIBED)


def test_a_card_that_was_kept_before_it_told_more_is_still_written():
    text = readme(Described("old", "a" * 64, 1, "2025-01-01", {}, Together(())))

    assert header_of(text)["license"] == "unknown"
    assert "Agreement of reviewers is not defined" in text
    assert "No benchmark was held against the pools." in text


@given(st.text(), st.text())
def test_no_words_of_people_break_the_header_or_a_table(name, pool):
    together = Together((Source("pool", pool, licence_from(pool), 1),))

    text = readme(Described(name, "a" * 64, 1, "2026-01-02", {"right": 1}, together))

    assert yaml.safe_load(text[4 : text.index("\n---\n\n# ") + 1])["size_categories"] == ["n<1K"]
    (row,) = [line for line in text.split("\n") if line.endswith(" | 1 |  |")]
    assert row.replace("\\|", "").count("|") == 5


def test_what_is_no_limit_is_not_named():
    card = {"right": 1, "reviewed": 1, "decontamination": {"benchmarks": [1]}}

    assert limits(Described("n", "a" * 64, 1, "", card, Together(()))) == []


def test_words_of_people_are_no_markup():
    assert escaped("a|b\n# <script> `x` [l](u)") == "a\\|b \\# \\<script\\> \\`x\\` \\[l\\](u)"


@pytest.mark.parametrize(
    ("rows", "name"), [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (59_633, "10K<n<100K")]
)
def test_a_size_has_the_hub_s_name(rows, name):
    assert size_category(rows) == name


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_lengths_lie_in_their_order(numbers):
    found = lengths(numbers)

    ordered = [found[name] for name in ("least", "q10", "q25", "median", "q75", "q90", "most")]
    assert ordered == sorted(ordered)
    assert (found["least"], found["most"]) == (min(numbers), max(numbers))
    assert lengths([]) == {}


def test_domains_are_counted_the_largest_first():
    found = count_domains([("B", "law"), ("A", "tax"), ("B", "law"), ("", "")])

    assert [(line["code"], line["rows"]) for line in found] == [("B", 2), ("", 1), ("A", 1)]
