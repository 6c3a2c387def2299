"""`manage.py mark`: a file of keys and answers through the product's own marker."""

import json

import pytest
from django.core.management import CommandError, call_command

ROWS = [
    {"key": "42", "answer": "Final Answer: 42"},
    {"key": "42", "answer": "Final Answer: 41"},
    {"key": "42", "answer": "nobody knows"},
    {"key": "ABD", "answer": "故选：AB", "options": ["甲", "乙", "丙", "丁"]},
    {"key": "", "answer": "Final Answer: 42"},
    {"key": 7, "answer": 7},
    {"key": "A", "answer": None},
]
OUTCOMES = ["right", "wrong", "unparsed", "partly", "unkeyed", "right", "unparsed"]


def test_each_row_is_marked_in_order_and_every_outcome_is_counted(tmp_path, capsys):
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8"
    )

    call_command(
        "mark", str(tmp_path / "rows.jsonl"), "--json", "--json-lines", str(tmp_path / "marks.jsonl")
    )

    told = json.loads(capsys.readouterr().out)
    lines = [json.loads(line) for line in (tmp_path / "marks.jsonl").read_text().splitlines()]
    assert [line["outcome"] for line in lines] == OUTCOMES
    assert all(line["rule"] for line in lines)
    assert told["total"] == len(ROWS)
    assert {outcome: told[outcome] for outcome in set(OUTCOMES)} == {
        outcome: OUTCOMES.count(outcome) for outcome in set(OUTCOMES)
    }


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"gone\.jsonl") as refused:
        call_command("mark", str(tmp_path / "gone.jsonl"))

    assert refused.value.returncode == 1
