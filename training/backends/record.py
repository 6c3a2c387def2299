"""The files of a job folder that every program writes, whoever has it run: its progress and its result."""

import json
import os
from pathlib import Path
from typing import Any

STOP = "STOP"  # whoever writes it asks the program to save and stop at the end of its step


def read_progress(folder: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Return the progress lines since `offset` (bytes) and the offset after them; a torn line waits."""
    path = folder / "progress.jsonl"
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read()
    complete = content[: content.rfind(b"\n") + 1]
    return [json.loads(line) for line in complete.splitlines() if line.strip()], offset + len(complete)


def drop_torn_line(folder: Path) -> None:
    """Take off what a killed program left of its last line, lest the next one write behind it."""
    path = folder / "progress.jsonl"
    if path.exists():
        content = path.read_bytes()
        os.truncate(path, content.rfind(b"\n") + 1)


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return what the program said at its end, or None while it has not."""
    path = folder / "result.json"
    if not path.exists():
        return None
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def has_succeeded(folder: Path) -> bool:
    """Tell whether the program has done its work."""
    result = read_result(folder)
    return result is not None and result["state"] == "succeeded"
