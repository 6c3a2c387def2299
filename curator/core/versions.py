"""Two versions of a dataset held against each other."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Held(NamedTuple):
    """What one row of a version is about: its question, the trace chosen for it, and the question's domain."""

    question_hash: str
    trace_hash: str
    domain: str


@dataclass(frozen=True)
class DomainLine:
    """How one domain differs between two versions, in rows."""

    domain: str
    added: int
    removed: int
    changed: int
    same: int


@dataclass(frozen=True)
class Comparison:
    """What a newer version has that an older one has not, by hashes of questions in the order of their rows."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]  # the same question with another trace
    same: int
    by_domain: tuple[DomainLine, ...]


def compare(older: Iterable[Held], newer: Iterable[Held]) -> Comparison:
    """Hold a newer version against an older one; a question whose text was edited is another question."""
    before = {row.question_hash: row for row in older}
    after = {row.question_hash: row for row in newer}
    added = [row for key, row in after.items() if key not in before]
    removed = [row for key, row in before.items() if key not in after]
    both = [row for key, row in after.items() if key in before]
    changed = [row for row in both if row.trace_hash != before[row.question_hash].trace_hash]
    same = [row for row in both if row.trace_hash == before[row.question_hash].trace_hash]
    return Comparison(
        added=tuple(row.question_hash for row in added),
        removed=tuple(row.question_hash for row in removed),
        changed=tuple(row.question_hash for row in changed),
        same=len(same),
        by_domain=_by_domain(added, removed, changed, same),
    )


def _by_domain(*kinds: list[Held]) -> tuple[DomainLine, ...]:
    """Return a line for each domain, the one that differs most first."""
    counts = [Counter(row.domain for row in rows) for rows in kinds]
    domains = {domain for count in counts for domain in count}
    lines = [DomainLine(domain, *(count[domain] for count in counts)) for domain in domains]
    return tuple(
        sorted(lines, key=lambda line: (-(line.added + line.removed + line.changed), -line.same, line.domain))
    )
