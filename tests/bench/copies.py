"""Near copies and leaks, beside datasketch's MinHashLSH and a set of n-grams in plain Python."""

import gzip
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from datasketch import MinHash, MinHashLSH

from common.core.text import count_cjk, ngrams, words
from curator.core.copies import CJK_SHINGLE, LATIN_SHINGLE, compared, near_pairs
from curator.core.overlap import Passage, leaks, runs
from tests.bench import material
from tests.bench.figures import Figure, at_most, faster

NAME = "Near copies and leaks"
THRESHOLD = 0.8
PLANTED_COPIES = 1000
PLANTED_LEAKS = 200
GROWTH = 10
ROOT = Path(__file__).resolve().parents[2]

Pair = frozenset[int]


class Planted(NamedTuple):
    """Questions among which some are copies or leaks, and which ones those are."""

    questions: list[Passage]
    items: list[Passage]
    copies: set[Pair]
    leaked: set[str]


def run(scale: float) -> list[Figure]:
    """Measure both ways on the same questions, and ours on ten times as many."""
    planted = _planted(round(material.REAL_ROWS * scale))
    return [_beside_peers(planted), *_growth(round(material.REAL_ROWS * scale))]


def _beside_peers(planted: Planted) -> Figure:
    began = time.perf_counter()
    pairs, leaked = _ours(planted)
    ours = time.perf_counter() - began
    began = time.perf_counter()
    their_pairs, their_leaked = _theirs(planted)
    theirs = time.perf_counter() - began
    recalls = [
        len(found & wanted) / len(wanted)
        for found, wanted in (
            (pairs, planted.copies),
            (their_pairs, planted.copies),
            (leaked, planted.leaked),
            (their_leaked, planted.leaked),
        )
    ]
    note = "{:.1%} of planted copies found (baseline {:.1%}), {:.1%} of planted leaks ({:.1%})".format(
        *recalls
    )
    name = f"copies and leaks among {len(planted.questions):,} questions"
    figure = faster(name, ours, "datasketch and n-gram sets", theirs, 5, note)
    same_recall = recalls[0] >= recalls[1] and recalls[2] >= recalls[3]
    return replace(figure, kept=bool(figure.kept) and same_recall)


def _ours(planted: Planted) -> tuple[set[Pair], set[str]]:
    texts = {
        number: compared(question.text, question.options) for number, question in enumerate(planted.questions)
    }
    found = near_pairs(texts.items(), lambda ids: {each: texts[each] for each in ids}, threshold=THRESHOLD)
    pairs = {frozenset(pair) for pair in zip(found.left.tolist(), found.right.tolist(), strict=True)}
    return pairs, {hit.question for hit in leaks(planted.questions, planted.items)}


def _theirs(planted: Planted) -> tuple[set[Pair], set[str]]:
    """The same shingles through datasketch, as its documentation does it; then s1's rule on the same runs."""
    lsh = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    hashes = []
    for number, question in enumerate(planted.questions):
        minhash = MinHash(num_perm=128)
        minhash.update_batch(_shingles(question))
        lsh.insert(number, minhash)
        hashes.append(minhash)
    pairs = {
        frozenset((number, other))
        for number, minhash in enumerate(hashes)
        for other in lsh.query(minhash)
        if other != number
    }
    held_out = {run for item in planted.items for run in runs(item.text)}
    return pairs, {
        question.id for question in planted.questions if held_out.intersection(runs(question.text))
    }


def _shingles(question: Passage) -> set[bytes]:
    tokens = words(" ".join([question.text, *sorted(question.options)]))
    is_cjk = 2 * sum(count_cjk(token) for token in tokens) > len(tokens)
    size = min(len(tokens), CJK_SHINGLE if is_cjk else LATIN_SHINGLE)
    return {" ".join(run).encode() for run in ngrams(tokens, size)}


def _planted(count: int) -> Planted:
    """Return questions of which the last are copies with one word changed, or hold a benchmark's item."""
    rng = Random(7)
    questions = [
        Passage(str(number), row["question"], row["options"] or ())
        for number, row in enumerate(material.rows(count))
    ]
    items = _items()
    copies: set[Pair] = set()
    long_enough = [number for number in range(count) if len(words(questions[number].text)) >= 30]
    for number in rng.sample(long_enough, min(PLANTED_COPIES, len(long_enough) // 10)):
        copies.add(frozenset((number, len(questions))))
        changed = _edited(questions[number].text, rng)
        questions.append(Passage(str(len(questions)), changed, questions[number].options))
    long_items = [item for item in items if len(words(item.text)) >= 20]
    leaked: set[str] = set()
    for item in rng.sample(long_items, min(PLANTED_LEAKS, len(long_items))):
        leaked.add(str(len(questions)))
        questions.append(Passage(str(len(questions)), f"Read this and answer. {item.text}"))
    return Planted(questions, items, copies, leaked)


def _edited(text: str, rng: Random) -> str:
    """Return a text with one of its words or CJK characters replaced, none of them a number."""
    places = [place for place, character in enumerate(text) if character.isalpha()]
    place = rng.choice(places)
    if count_cjk(text[place]):
        return f"{text[:place]}某{text[place + 1 :]}"
    start, end = place, place
    while start and text[start - 1].isalpha():
        start -= 1
    while end < len(text) and text[end].isalpha():
        end += 1
    return f"{text[:start]}edited{text[end:]}"


def _items() -> list[Passage]:
    files = sorted((material.FOLDER / "benchmarks").glob("*.jsonl.gz"))
    rows: list[dict[str, Any]] = []
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows += map(json.loads, lines)
    rows = rows or [material.made_up(-number) for number in range(1, 3000)]
    return [Passage(f"i{number}", row["question"], row["options"] or ()) for number, row in enumerate(rows)]


# Growth: in processes of their own, whose memory is theirs alone; they read questions from a file.


def _growth(count: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        small = _measured(_written(Path(folder) / "small.jsonl", count, 1))
        large = _measured(_written(Path(folder) / "large.jsonl", count, GROWTH))
    name = f"copies and leaks among {GROWTH} times as many questions"
    memory = f"{large['peak'] / 1024**2:.0f} MiB at most, against {small['peak'] / 1024**2:.0f}"
    return [
        at_most(name, large["seconds"], f"{count:,} questions", small["seconds"], 11, memory),
        replace(
            at_most(f"{name}: MiB", large["peak"] / 1024**2, "MiB", small["peak"] / 1024**2, 3),
            note="peak memory, in MiB instead of seconds",
        ),
    ]


def _measured(path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.copies", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _written(path: Path, count: int, times: int) -> Path:
    """Write questions, and then again as often in another alphabet, so that nothing is a copy across."""
    with path.open("w", encoding="utf-8") as file:
        for turn in range(times):
            table = _alphabet(turn)
            for row in material.rows(count):
                text = compared(row["question"], row["options"] or ())
                codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
                file.write(json.dumps(table.take(codes).tobytes().decode("utf-32-le")) + "\n")
    return path


def _alphabet(turn: int) -> Any:
    table = np.arange(0x110000, dtype=np.uint32)
    letters = np.arange(26)
    table[97:123] = 97 + (letters * (1, 3, 5, 7, 9, 11, 15, 17, 19, 21)[turn % 10] + turn) % 26
    characters = np.arange(0x9FFF - 0x4E00)
    table[0x4E00:0x9FFF] = 0x4E00 + (characters + 601 * turn) % len(characters)
    return table


class _File:
    """Questions in a file, read in order or by number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.starts = np.fromiter(self._starts(), np.int64)

    def _starts(self) -> Iterator[int]:
        place = 0
        with self.path.open("rb") as file:
            for line in file:
                yield place
                place += len(line)

    def texts(self) -> Iterator[tuple[int, str]]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                yield number, json.loads(line)

    def texts_of(self, numbers: Sequence[int]) -> dict[int, str]:
        found = {}
        with self.path.open("rb") as file:
            for number in sorted(numbers):
                file.seek(self.starts[number])
                found[number] = json.loads(file.readline())
        return found


def _peak_bytes() -> int:
    """Return the most memory that this process has held; ru_maxrss counts its parent's from before the start."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) * 1024


def main(path: Path) -> None:
    """Measure one file, and print its time and the peak of this process's memory."""
    questions, items = _File(path), _items()
    began = time.perf_counter()
    pairs = near_pairs(questions.texts(), questions.texts_of, threshold=THRESHOLD)
    hits = leaks((Passage(str(number), text) for number, text in questions.texts()), items)
    seconds = time.perf_counter() - began
    found = {"seconds": seconds, "peak": _peak_bytes(), "pairs": len(pairs.left), "leaks": len(hits)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
