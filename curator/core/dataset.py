"""The identity of traces and datasets: hashes of their content."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any


def trace_hash(thinking: str, answer: str) -> str:
    """Return a trace's identity: SHA-256, in 64 hex digits, of its thinking and answer."""
    return hashlib.sha256(f"{thinking}\x1f{answer}".encode(errors="surrogatepass")).hexdigest()


def dataset_hash(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a dataset's identity: SHA-256 over its rows in order, each as canonical JSON."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
        digest.update(b"\n")
    return digest.hexdigest()
