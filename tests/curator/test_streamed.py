"""A large file gives the same rows one after the other as it does whole."""

import gzip
import json

import polars as pl
import pytest

from curator import readers
from curator.readers import streamed


@pytest.fixture(autouse=True)
def _nothing_is_short(monkeypatch):
    monkeypatch.setattr(streamed, "_BEGINNING_BYTES", 0)
    monkeypatch.setattr(streamed, "ROWS_AT_ONCE", 2)


ROWS = [{"id": number, "thinking": "想" * number, "parts": ["a", "b"]} for number in range(5)]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


@pytest.fixture
def opened(tmp_path):
    """Return what writes a file, and opens it both ways."""

    def both(content, name="f.jsonl"):
        path = tmp_path / name
        if isinstance(content, pl.DataFrame):
            content.write_parquet(path)
        else:
            path.write_bytes(content)
        return readers.stream_table(path, name), readers.open_table(path, name)

    return both


@pytest.mark.parametrize(
    "content",
    [
        LINES,
        gzip.compress(LINES, mtime=0),
        b"\xef\xbb\xbf" + LINES,
        LINES.replace(b"\n", b"\r\n"),
        LINES.replace(b"\n", b"\n\n", 1) + b"\n\n",
        LINES.rstrip(b"\n"),
        LINES + b'{"later": 1}\n',
        b"[" + LINES.rstrip().replace(b"\n", b",") + b"]",
        b'{"rows":\n [{"a": 1}, {"a": 2}]}',
        LINES.decode().encode("gb18030"),
        b"a,b\n1,2\n",
        pl.DataFrame(ROWS),
    ],
)
def test_a_file_has_the_same_rows_both_ways(opened, content):
    stream, table = opened(content)

    assert list(stream.numbered()) == list(table.numbered())
    assert (stream.columns, stream.rows_total) == (table.columns, table.rows_total)


def test_rows_can_be_asked_for_again(opened):
    stream, _table = opened(LINES)

    assert list(stream.numbered()) == list(stream.numbered())


def test_no_row_of_json_lines_is_held(opened, monkeypatch):
    stream, _table = opened(LINES)
    read = []
    real = streamed._loaded
    monkeypatch.setattr(streamed, "_loaded", lambda line: read.append(line) or real(line))

    next(stream.numbered())

    assert len(read) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (LINES + b'{"id": \n', "f.jsonl, line 6, is no valid JSON"),
        (LINES + b"[1]\n", "f.jsonl, record 6, is no object"),
        (gzip.compress(LINES, mtime=0)[:-20], "f.jsonl ends in the middle of its packed data"),
        (b"", "f.jsonl is empty"),
    ],
)
def test_a_fault_anywhere_is_found_before_the_first_row(tmp_path, content, sentence):
    path = tmp_path / "f.jsonl"
    path.write_bytes(content)

    with pytest.raises(readers.NoTable) as refused:
        readers.stream_table(path, "f.jsonl")

    assert sentence in str(refused.value)
