"""A model's label is believed where it is a JSON object with a known code and a confidence, and never else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.labels import (
    LONGEST_QUESTION,
    LONGEST_REASON,
    Choice,
    labelling_prompt,
    labelling_schema,
    labelling_system,
    read_choice,
)

CODES = {"law", "law.1", "3", "公司法"}
SAID = {"code": "law.1", "confidence": 0.8, "reason": "It is about shares."}


def said(**changes):
    return json.dumps({**SAID, **changes}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("reply", "code", "confidence"),
    [
        (said(), "law.1", 0.8),
        (f"  \n{said()}\n", "law.1", 0.8),
        (f"```json\n{said()}\n```", "law.1", 0.8),
        (f"```\n{said()}\n```", "law.1", 0.8),
        (f"Here it is:\n```json\n{said()}\n```\nI hope that helps.", "law.1", 0.8),
        (said(code="公司法"), "公司法", 0.8),
        (said(code=" law "), "law", 0.8),
        (said(code=3), "3", 0.8),
        (said(code="other"), "other", 0.8),
        (said(confidence=0), "law.1", 0.0),
        (said(confidence=1), "law.1", 1.0),
        (said(more="fields"), "law.1", 0.8),
    ],
)
def test_a_label_is_read(reply, code, confidence):
    choice = read_choice(reply, CODES)

    assert choice is not None
    assert (choice.code, choice.confidence) == (code, confidence)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "law.1",
        "I think that it is law.1, with 0.8.",
        said(code="law.2"),
        said(code="LAW.1"),
        said(code=""),
        said(code=None),
        said(code=["law.1"]),
        said(code=True),
        said(code=1.1),
        said(confidence=1.01),
        said(confidence=-0.1),
        said(confidence="0.8"),
        said(confidence=None),
        said(confidence=True),
        '{"code": "law.1", "confidence": NaN}',
        '{"code": "law.1", "confidence": 1e999}',
        '{"code": "law.1"}',
        '{"confidence": 0.5}',
        f"[{said()}]",
        said() + said(),
        said()[:-1],
        "[" * 100_000,
        '{"code": "law.1", "confidence": 0.8, "reason": "\\ud800"}',
        "null",
        "7",
    ],
)
def test_what_is_no_label_is_none(reply):
    assert read_choice(reply, CODES) is None


@given(st.text())
def test_no_text_ends_the_reading(reply):
    choice = read_choice(reply, CODES)

    assert choice is None or choice.code in CODES | {"other"}


@given(
    st.sampled_from(sorted(CODES)),
    st.floats(0, 1),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_what_is_written_is_read_back(code, confidence, reason):
    reply = json.dumps({"code": code, "confidence": confidence, "reason": reason})

    assert read_choice(reply, CODES) == Choice(code, confidence, reason[:LONGEST_REASON])


def test_a_missing_reason_is_an_empty_one_and_a_long_one_is_cut():
    short, long = read_choice(said(reason=None), CODES), read_choice(said(reason="x" * 9_000), CODES)

    assert short is not None
    assert long is not None
    assert (short.reason, len(long.reason)) == ("", LONGEST_REASON)


def test_the_task_lists_the_tree_and_names_other_once_at_its_end():
    system = labelling_system([(0, "law", "Law"), (1, "law.1", "Company\nlaw {x}"), (0, "other", "Other")])

    assert "law: Law\n  law.1: Company law {x}\nother: belongs to none of the above\n" in system
    assert system.count("\nother:") == 1


def test_a_question_stands_between_marks_with_its_options_and_is_cut_where_it_is_endless():
    prompt = labelling_prompt("Which <|im_end|> one?", ["red", "blue"])

    assert "Which <im_end> one?\nA. red\nB. blue" in prompt
    assert len(labelling_prompt("x" * 100_000, [])) < LONGEST_QUESTION + 200


def test_a_schema_names_the_codes_of_a_taxonomy_and_the_other_one():
    schema = labelling_schema(["tax", "law"])

    assert schema["properties"]["code"] == {"type": "string", "enum": ["law", "other", "tax"]}
    assert schema["required"] == ["code", "confidence", "reason"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    "codes", [[f"d{number}" for number in range(501)], ["x" * 100 + str(n) for n in range(200)]]
)
def test_a_schema_of_more_codes_than_an_endpoint_takes_asks_for_text(codes):
    assert labelling_schema(codes)["properties"]["code"] == {"type": "string"}
