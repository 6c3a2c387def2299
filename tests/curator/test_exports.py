"""A dataset as files: every format read back, and a disk that refuses."""

import csv
import errno
import json
import os
import subprocess

import polars as pl
import pytest

from curator.exports import FORMATS, NotWritten, content, sha256_of, write

ROW = {
    "id": "f" * 64,
    "question": "应纳税额是多少？",
    "options": ["46", "=1+1"],
    "key": "A",
    "solution": "",
    "marks": 2.5,
    "source": "税务局",
    "domain": "tax",
    "thinking": "49-3=46\n所以选A",
    "answer": "Final Answer: A",
}
OTHER = ROW | {"id": "e" * 64, "question": "=cmd|' /C calc'!A0", "options": [], "key": "-5", "marks": None}
ROWS = [ROW, OTHER]


def written(tmp_path, file_format, rows=ROWS):
    (path,) = write(rows, file_format=file_format, folder=tmp_path / "new" / "folder", name="abc")
    return path


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_our_own_format_holds_every_field_in_order(tmp_path):
    path = written(tmp_path, "jsonl")

    assert path.name == "abc.jsonl"
    assert read_lines(path) == ROWS


def test_messages_part_thinking_from_answer(tmp_path):
    first = read_lines(written(tmp_path, "messages"))[0]["messages"]

    assert [message["role"] for message in first] == ["user", "assistant"]
    assert first[0]["content"] == "应纳税额是多少？\nA. 46\nB. =1+1"
    assert first[1] == {"role": "assistant", "reasoning_content": ROW["thinking"], "content": ROW["answer"]}


def test_the_columns_of_s1_hold_the_training_text(tmp_path):
    first = read_lines(written(tmp_path, "s1"))[0]

    assert first["solution"] == "A"  # the key, where there is no worked solution
    assert first["thinking_trajectories"] == [ROW["thinking"]]
    assert first["attempt"] == ROW["answer"]
    assert first["text"].endswith(
        f"<|im_start|>think\n{ROW['thinking']}\n<|im_start|>answer\nFinal Answer: A<|im_end|>"
    )


def test_a_spreadsheet_opens_in_excel_and_runs_nothing(tmp_path):
    path = written(tmp_path, "csv")

    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert first["thinking"] == ROW["thinking"]
    assert json.loads(first["options"]) == ROW["options"]
    assert second["question"] == "'=cmd|' /C calc'!A0"
    assert second["key"] == "-5"  # a plain number is no formula
    assert second["marks"] == ""


def test_parquet_keeps_the_types(tmp_path):
    assert pl.read_parquet(written(tmp_path, "parquet")).to_dicts() == ROWS


@pytest.mark.parametrize("file_format", FORMATS)
def test_writing_twice_gives_the_same_bytes_and_leaves_no_other_file(tmp_path, file_format):
    first = written(tmp_path, file_format)
    hash_before = sha256_of(first)

    second = written(tmp_path, file_format)

    assert sha256_of(second) == hash_before
    assert list(first.parent.iterdir()) == [second]


def test_the_checksum_is_that_of_sha256sum(tmp_path):
    path = written(tmp_path, "jsonl")

    printed = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout

    assert printed.split()[0] == sha256_of(path)


def test_a_disk_that_refuses_is_told_in_a_sentence_and_keeps_the_old_file(tmp_path):
    path = written(tmp_path, "jsonl")
    before = path.read_bytes()

    with pytest.raises(NotWritten, match=r"cannot be written \(No space left on device\); name"):
        _fill_disk(path)

    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def _fill_disk(path):
    """Write once more while every flush to the disk fails, as it does when the disk is full."""
    with pytest.MonkeyPatch.context() as patch:

        def full(_descriptor):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr("os.fsync", full)
        write([ROW], file_format="jsonl", folder=path.parent, name="abc")


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(NotWritten, match="cannot be written"):
        write(ROWS, file_format="jsonl", folder=tmp_path / "file", name="abc")


def test_an_unknown_format_and_an_empty_dataset_are_refused():
    with pytest.raises(NotWritten, match="no format 'docx'; there are jsonl, messages, s1, csv, parquet"):
        content(ROWS, "docx")
    with pytest.raises(NotWritten, match="has no rows"):
        content([], "csv")
