"""The identity of traces and datasets: hashes of their content.

The canonical bytes of a dataset are its rows in order, each a JSON object on a line of its own that ends with
one line feed: UTF-8; keys sorted by code point at every depth; no space between tokens; only `"`, `\\` and the
control characters below U+0020 escaped, as `json.dumps` does it; whole numbers without a point; other numbers
as the shortest decimal that reads back as the same double, with a point (`2.0`) or an exponent; no NaN and no
infinity. Text stands as it is, in no normal form: "é" in one code point and in two are two contents. A lone
surrogate, which is no text, is U+FFFD.

A dataset's hash is SHA-256 over these bytes, so that `sha256sum` of a dataset written as `jsonl` prints it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def utf8(text: str) -> bytes:
    """Return a text as UTF-8, with U+FFFD for each lone surrogate."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def trace_hash(thinking: str, answer: str) -> str:
    """Return a trace's identity: SHA-256, in 64 hex digits, of its thinking and answer."""
    return hashlib.sha256(f"{thinking}\x1f{answer}".encode(errors="surrogatepass")).hexdigest()


def canonical_line(row: Mapping[str, Any]) -> bytes:
    """Return a row's canonical bytes, with the line feed at its end.

    Raises:
        ValueError: it holds a number that is none.
    """
    written = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return utf8(written) + b"\n"


def dataset_hash(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a dataset's identity: SHA-256 over its canonical bytes, in 64 hex digits."""
    return hash_of_lines(map(canonical_line, rows))


def hash_of_lines(lines: Iterable[bytes]) -> str:
    """Return a dataset's identity, given the canonical bytes of its rows."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
    return digest.hexdigest()


def hash_of_words(words: Iterable[str]) -> str:
    """Return SHA-256, in 64 hex digits, over words in the order given, each on a line of its own."""
    return hashlib.sha256("\n".join(words).encode(errors="surrogatepass")).hexdigest()


def evened(rows: Iterable[dict[str, Any]], field: str) -> Iterator[dict[str, Any]]:
    """Yield rows that all have a field of texts, or none of which has it."""
    held = list(rows)
    has_it = any(field in row for row in held)
    for row in held:
        yield {**row, field: row.get(field, "")} if has_it else row
