"""A dataset as files: every format read back by its own consumer's library, and a disk that refuses."""

import csv
import errno
import json
import os
import subprocess
import tracemalloc
from datetime import UTC, datetime
from zipfile import ZipFile

import datasets
import fastexcel
import polars as pl
import pyarrow.parquet as pq
import pytest
from openai.types.chat import ChatCompletionAssistantMessageParam, ChatCompletionUserMessageParam
from pydantic import TypeAdapter

from curator.core.card import Described, readme
from curator.core.dataset import dataset_hash
from curator.core.licences import Source, Together, licence_from
from curator.exports import (
    COLUMNS,
    FEATURES,
    FOLDERS,
    FORMATS,
    NotWritten,
    Stamp,
    cell_without_mark,
    sha256_of,
    write,
)
from curator.exports.workbooks import CELL_CHARACTERS, CONTINUES, LONG_SHEET
from curator.forms import FORMAT_WORDS

ROW = {
    "id": "f" * 64,
    "external_id": "2024-7",
    "question": "应纳税额是多少？\u2028😀",
    "options": ["46", "=1+1"],
    "key": "A",
    "solution": "",
    "marks": 2.5,
    "language": "zh",
    "domain": "tax",
    "source": "税务局",
    "licence": "MIT",
    "thinking": "49-3=46\n所以选A",
    "answer": "Final Answer: A",
    "teacher": "QwQ",
    "thinking_tokens": 12,
    "verdict": "right",
    "trace_hash": "a" * 64,
    "terms": "",
}
OTHER = ROW | {
    "id": "e" * 64,
    "question": "=cmd|' /C calc'!A0",
    "options": [],
    "key": "-5",
    "marks": None,
    "thinking": "<think>+1",
    "terms": "只作研究。",
}
ROWS = [ROW, OTHER]
HASH = dataset_hash(ROWS)
LONG = ROW | {"thinking": "长" * 1_000_000, "answer": "a\ud800b"}


def card_of(size):
    together = Together((Source("pool", "税务局", licence_from("MIT"), 2),))
    return readme(
        Described("名 v1", HASH, 2, "2026-01-02", {"languages": {"zh": 2}}, together, "", FEATURES, size)
    )


STAMP = Stamp(HASH, "名 v1", datetime(2026, 1, 2, 3, 4, tzinfo=UTC), card_of)
LINES = ["messages", "s1", "trl", "openai", "together", "siliconflow"]


def written(tmp_path, file_format, rows=ROWS):
    return write(rows, file_format=file_format, folder=tmp_path / "new" / "folder", stamp=STAMP)


def read_lines(paths):
    (path,) = paths
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def hub_rows(files, **options):
    """Return rows as Hugging Face's library loads them, in which it may keep what it packs between tests."""
    return datasets.load_dataset(*files, split="train", **options)


def test_every_file_is_named_by_the_hash(tmp_path):
    for file_format in FORMATS:
        for path in written(tmp_path, file_format):
            assert path.relative_to(tmp_path / "new" / "folder").parts[0].startswith(HASH[:12])


def test_every_format_has_a_word_for_people():
    assert tuple(name for name, _words in FORMAT_WORDS) == FORMATS


def test_our_own_format_holds_every_field_and_its_checksum_is_the_hash(tmp_path):
    (path,) = written(tmp_path, "jsonl")

    assert read_lines([path]) == ROWS
    assert sha256_of(path) == HASH


def test_our_own_format_is_loaded_by_datasets(tmp_path):
    (path,) = written(tmp_path, "jsonl")

    loaded = hub_rows(["json"], data_files=str(path), cache_dir=tmp_path / "cache")

    assert loaded.to_list() == ROWS


def test_messages_part_thinking_from_answer(tmp_path):
    first = read_lines(written(tmp_path, "messages"))[0]["messages"]

    assert [message["role"] for message in first] == ["user", "assistant"]
    assert first[0]["content"] == f"{ROW['question']}\nA. 46\nB. =1+1"
    assert first[1] == {"role": "assistant", "reasoning_content": ROW["thinking"], "content": ROW["answer"]}


@pytest.mark.parametrize("file_format", ["messages", "s1", "trl"])
def test_lines_for_programs_that_take_other_fields_say_where_they_come_from(tmp_path, file_format):
    rows = read_lines(written(tmp_path, file_format))

    assert {row["dataset_hash"] for row in rows} == {HASH}
    assert [(row["id"], row["teacher"], row["terms"]) for row in rows] == [
        (row["id"], row["teacher"], row["terms"]) for row in ROWS
    ]


def test_the_columns_of_s1_hold_the_training_text(tmp_path):
    first = read_lines(written(tmp_path, "s1"))[0]

    assert first["solution"] == "A"  # the key, where there is no worked solution
    assert first["thinking_trajectories"] == [ROW["thinking"]]
    assert first["attempt"] == ROW["answer"]
    assert first["text"].endswith(
        f"<|im_start|>think\n{ROW['thinking']}\n<|im_start|>answer\nFinal Answer: A<|im_end|>"
    )


def test_trl_takes_the_rows_as_conversations_of_prompt_and_completion(tmp_path):
    from trl.data_utils import is_conversational, maybe_apply_chat_template

    class Joined:
        """A chat template that knows `role` and `content` alone, as that of Qwen2.5 does."""

        def apply_chat_template(self, messages, **options):
            said = "".join(f"<{it['role']}>{it['content']}</s>" for it in messages)
            return said + ("<assistant>" if options.get("add_generation_prompt") else "")

    (path,) = written(tmp_path, "trl")
    loaded = hub_rows(["json"], data_files=str(path), cache_dir=tmp_path / "cache")

    text = maybe_apply_chat_template(loaded[0], Joined())

    assert is_conversational(loaded[0])
    assert text["prompt"] == f"<user>{ROW['question']}\nA. 46\nB. =1+1</s><assistant>"
    assert text["completion"] == f"<think>\n{ROW['thinking']}\n</think>\n\n{ROW['answer']}</s>"


@pytest.mark.parametrize("file_format", ["openai", "siliconflow"])
def test_plain_chat_has_the_two_roles_and_the_two_fields_that_are_documented(tmp_path, file_format):
    rows = read_lines(written(tmp_path, file_format))

    for row in rows:
        assert row.keys() == {"messages"}
        asked, answered = row["messages"]
        assert TypeAdapter(ChatCompletionUserMessageParam).validate_python(asked) == asked
        assert TypeAdapter(ChatCompletionAssistantMessageParam).validate_python(answered) == answered
        assert [message.keys() for message in row["messages"]] == [{"role", "content"}] * 2
    assert rows[0]["messages"][1]["content"] == f"<think>\n{ROW['thinking']}\n</think>\n\n{ROW['answer']}"


def test_together_gets_the_thinking_in_the_field_of_its_reasoning_fine_tuning(tmp_path):
    first = read_lines(written(tmp_path, "together"))[0]

    assert first.keys() == {"messages"}  # two forms in one line are refused there
    assert first["messages"][1] == {
        "role": "assistant",
        "reasoning": ROW["thinking"],
        "content": ROW["answer"],
    }


def test_a_spreadsheet_opens_in_excel_and_runs_nothing(tmp_path):
    (path,) = written(tmp_path, "csv")

    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert first["thinking"] == ROW["thinking"]
    assert json.loads(first["options"]) == ROW["options"]
    assert second["question"] == "'=cmd|' /C calc'!A0"
    assert second["key"] == "-5"  # a plain number is no formula
    assert second["marks"] == ""


def test_a_workbook_reads_back_and_runs_nothing(tmp_path):
    (path,) = written(tmp_path, "xlsx")

    sheet = fastexcel.read_excel(path).load_sheet("rows", dtypes={"key": "string"}).to_polars()
    first, second = sheet.to_dicts()
    assert list(sheet.columns) == list(COLUMNS)
    assert (first["marks"], first["thinking_tokens"], second["marks"]) == (2.5, 12, None)
    assert json.loads(first["options"]) == ROW["options"]
    assert second["question"] == "'=cmd|' /C calc'!A0"
    for name in ("question", "thinking", "answer", "key", "terms", "source"):
        assert cell_without_mark(second[name]) == OTHER[name]


def test_a_workbook_has_no_formula_and_carries_the_hash(tmp_path):
    (path,) = written(tmp_path, "xlsx")

    with ZipFile(path) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
        assert HASH.encode() in parts.read("docProps/custom.xml")
        assert HASH.encode() in parts.read("docProps/core.xml")


def test_a_text_that_no_cell_holds_goes_on_in_a_second_sheet_and_none_of_it_is_lost(tmp_path):
    (path,) = written(tmp_path, "xlsx", [ROW, LONG, LONG | {"answer": "=" + "短" * CELL_CHARACTERS}])

    book = fastexcel.read_excel(path)
    first, second, third = book.load_sheet_by_name("rows").to_polars().to_dicts()
    pieces = book.load_sheet_by_name(LONG_SHEET).to_polars().to_dicts()
    whole = {(number, name): kept.removesuffix(CONTINUES) for number, name, kept in (
        (2, "thinking", second["thinking"]), (3, "thinking", third["thinking"]), (3, "answer", third["answer"])
    )}  # fmt: skip
    for piece in pieces:
        whole[piece["row"], piece["column"]] += cell_without_mark(piece["text"])
    assert first["thinking"] == ROW["thinking"]
    assert whole == {
        (2, "thinking"): LONG["thinking"],
        (3, "thinking"): LONG["thinking"],
        (3, "answer"): "'=" + "短" * CELL_CHARACTERS,
    }


def test_a_workbook_in_which_all_fits_has_one_sheet(tmp_path):
    (path,) = written(tmp_path, "xlsx")

    assert fastexcel.read_excel(path).sheet_names == ["rows"]


def test_parquet_keeps_the_types_and_carries_the_hash(tmp_path):
    (path,) = written(tmp_path, "parquet")

    assert pl.read_parquet(path).to_dicts() == ROWS
    assert pq.read_table(path).to_pylist() == ROWS
    assert pq.read_schema(path).metadata[b"dataset_hash"] == HASH.encode()


def test_a_folder_of_the_hub_is_opened_by_datasets(tmp_path):
    files = written(tmp_path, "hf")
    folder = files[0].parent

    loaded = hub_rows([str(folder)], cache_dir=tmp_path / "cache")

    assert [file.name for file in files] == ["README.md", "train.parquet"]
    assert loaded.to_list() == ROWS
    assert loaded.info.splits["train"].num_examples == 2
    assert HASH in (folder / "README.md").read_text()


def test_a_folder_of_the_hub_whose_rows_are_fewer_than_its_card_says_is_noticed(tmp_path):
    files = written(tmp_path, "hf", ROWS[:1])

    with pytest.raises(datasets.exceptions.NonMatchingSplitsSizesError):
        hub_rows([str(files[0].parent)], cache_dir=tmp_path / "cache")


def test_the_header_of_the_card_is_what_the_hub_reads(tmp_path):
    from huggingface_hub import DatasetCard

    header = DatasetCard.load(written(tmp_path, "hf")[0]).data

    assert (header.license, header.language, header.size_categories) == ("mit", ["zh"], ["n<1K"])
    assert header.pretty_name == "名 v1"


@pytest.mark.parametrize("file_format", sorted(set(FORMATS) - {"xlsx"}))
def test_a_text_of_a_million_characters_is_kept_and_a_lone_surrogate_becomes_a_mark(tmp_path, file_format):
    files = written(tmp_path, file_format, [ROW, LONG])

    if file_format in ("parquet", "hf"):
        row = pl.read_parquet(files[-1]).to_dicts()[1]
        assert (row["thinking"], row["answer"]) == (LONG["thinking"], "a\ufffdb")
    else:
        text = files[0].read_text(encoding="utf-8")
        assert LONG["thinking"] in text
        assert "a\ufffdb" in text


def test_a_row_from_before_a_column_was_kept_has_it_empty(tmp_path):
    old = {name: ROW[name] for name in ROW if name not in ("terms", "trace_hash")}

    (path,) = written(tmp_path, "parquet", [old])

    assert pl.read_parquet(path).to_dicts() == [ROW | {"terms": "", "trace_hash": ""}]


def test_a_field_for_which_a_table_has_no_column_is_not_lost_silently(tmp_path):
    with pytest.raises(ValueError, match="A row holds mood, for which a table has no column"):
        written(tmp_path, "csv", [ROW | {"mood": "good"}])


@pytest.mark.parametrize("file_format", FORMATS)
def test_writing_twice_gives_the_same_bytes_and_leaves_no_other_file(tmp_path, file_format):
    first = written(tmp_path, file_format)
    hashes_before = list(map(sha256_of, first))

    second = written(tmp_path, file_format)

    assert list(map(sha256_of, second)) == hashes_before
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 1


@pytest.mark.parametrize("file_format", FORMATS)
def test_rows_are_taken_one_after_another(tmp_path, file_format):
    rows = (ROW | {"thinking": f"{number} " + "x" * 30_000} for number in range(1500))  # 45 MB in all
    written(tmp_path, file_format)
    tracemalloc.start()

    written(tmp_path, file_format, rows)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_the_checksum_is_that_of_sha256sum(tmp_path):
    (path,) = written(tmp_path, "jsonl")

    printed = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout

    assert printed.split()[0] == sha256_of(path)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_disk_that_refuses_is_told_in_a_sentence_and_keeps_the_old_file(tmp_path, file_format):
    files = written(tmp_path, file_format)
    before = [path.read_bytes() for path in files]

    with pytest.raises(NotWritten, match=r"cannot be written \(No space left on device\); name"):
        _fill_disk(tmp_path, file_format)

    assert [path.read_bytes() for path in files] == before
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 1


def _fill_disk(tmp_path, file_format):
    """Write once more while every flush to the disk fails, as it does when the disk is full."""
    with pytest.MonkeyPatch.context() as patch:

        def full(_descriptor):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr("os.fsync", full)
        written(tmp_path, file_format, [ROW])


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_device_that_is_full_while_rows_are_written_is_told_in_a_sentence(tmp_path, file_format):
    def rows():
        yield ROW
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(NotWritten, match="No space left on device"):
        written(tmp_path, file_format, rows())

    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(NotWritten, match="cannot be written"):
        write(ROWS, file_format="jsonl", folder=tmp_path / "file", stamp=STAMP)


def test_an_unknown_format_and_an_empty_dataset_are_refused(tmp_path):
    with pytest.raises(NotWritten, match="no format 'docx'; there are jsonl, messages, s1, trl, openai"):
        written(tmp_path, "docx")
    with pytest.raises(NotWritten, match="has no rows"):
        written(tmp_path, "csv", [])


def test_what_is_a_folder_is_known(tmp_path):
    assert {name for name in FORMATS if len(written(tmp_path, name)) > 1} == FOLDERS
