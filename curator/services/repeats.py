"""Rows that repeat a question: what they say beside is added to it, and taken back with their import."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from curator.core.repeats import Taken
from curator.core.rows import QuestionRow
from curator.models import Import, Question, RowReport
from curator.queries.among import among_hashes, among_keys
from curator.queries.repeats import counted_source
from curator.services.ledgers import Labels, Ledger, Plain, forget_flaws, lacks, read_ledgers, saying, store

AT_ONCE = 4096  # rows whose questions are in memory together
SHOWN_TEXT = 200  # characters of a repeated question that its report shows


@dataclass(frozen=True)
class Repeat:
    """What became of a row that repeats a question."""

    row: QuestionRow
    question_id: int
    kind: RowReport.Kind
    reason: str
    text: str
    said: Plain


# --- a file's rows ---


def take_repeats(
    *, job: Import, rows: Sequence[QuestionRow], row_of: Mapping[str, int]
) -> Iterator[list[Repeat]]:
    """Give questions what rows that repeat them say beside, and yield what became of each, part by part.

    The questions are stored. `row_of` is the row of this file in which a question stands, by its hash, or 0.
    A part is to be reported before the next is asked for. Part of a caller's transaction.
    """
    labels = Labels(job.pool.project_id)
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        questions = Question.objects.filter(
            among_hashes("content_hash", {row.content_hash for row in part}), project=job.pool.project_id
        )
        ledgers = {ledger.held.content_hash: ledger for ledger in read_ledgers(questions, labels)}
        repeats = []
        for row in part:
            ledger = ledgers[row.content_hash]
            ledger.is_counted_here = job.pool.name < ledger.held.source
            repeats.append(_repeat(ledger, row, labels, row_of[row.content_hash]))
        told = {repeat.question_id for repeat in repeats if repeat.said}
        store([ledger for ledger in ledgers.values() if ledger.held.pk in told], labels)
        forget_flaws([ledger.held.pk for ledger in ledgers.values() if ledger.is_counted_here])
        yield repeats


def _repeat(ledger: Ledger, row: QuestionRow, labels: Labels, earlier: int) -> Repeat:
    plain = _plain_row(row)
    said = saying(plain, labels)
    plain = {name: value for name, value in plain.items() if said[name] != ledger.own.get(name)}
    there = ledger.account.chosen.get("key", "")
    taken = ledger.account.add({name: said[name] for name in plain}) if plain else Taken()
    kind = _kind(taken)
    reason = " ".join(_sentences(kind, taken, there, row.key, earlier))
    gave_key = kind == RowReport.Kind.FILLED and not there and "key" in taken.gave
    return Repeat(row, ledger.held.pk, kind, reason, (row.key if gave_key else row.text)[:SHOWN_TEXT], plain)


def _plain_row(row: QuestionRow) -> Plain:
    """Return what a row of a file says, as JSON keeps it."""
    values: Plain = {
        "key": row.key,
        "solution": row.solution,
        "marks": None if row.marks is None else str(row.marks),
        "domain": row.domain,
        "rating": row.rating,
        "tags": list(row.tags),
        "language": row.language,
        "wording": [row.text, *row.options],
        "neutralised": row.neutralised,
    }
    return {name: value for name, value in values.items() if not lacks(value)}


def _kind(taken: Taken) -> RowReport.Kind:
    if taken.contradicts:
        return RowReport.Kind.CONFLICT
    return RowReport.Kind.FILLED if taken.gave else RowReport.Kind.DUPLICATE


def _sentences(kind: RowReport.Kind, taken: Taken, there: str, key: str, earlier: int) -> Iterator[str]:
    """Yield what a report says of a row."""
    gave = [name for name in taken.gave if name != "key" or there]
    if kind == RowReport.Kind.CONFLICT:
        yield _("The question is there with the key “%(there)s”, which stays; this row says “%(here)s”.") % {
            "there": there[:SHOWN_TEXT],
            "here": key[:SHOWN_TEXT],
        }
    elif len(gave) < len(taken.gave):
        yield _("The question was there without a key; this row gave it one.")
    elif earlier:
        yield _("The same question stands in row %(row)s of this file.") % {"row": earlier}
    else:
        yield _("The same question is there already.")
    if gave:
        yield _("This row gave it: %(fields)s.") % {"fields": _names(gave)}
    if taken.left:
        yield _("Not taken, for what is there goes first: %(fields)s.") % {"fields": _names(taken.left)}


def _names(fields: Sequence[str]) -> str:
    names = {
        "key": _("key"),
        "solution": _("reference solution"),
        "marks": _("marks"),
        "domain": _("domain"),
        "rating": _("difficulty, as an expert rates it"),
        "tags": _("tags"),
        "language": _("language"),
        "wording": _("wording"),
        "neutralised": _("made harmless"),
    }
    return ", ".join(names[name] for name in fields)


# --- an import taken back ---


def take_back(*, job: Import) -> None:
    """Delete an import's reports, and leave the questions of others as if it had never been read.

    What an expert has changed since stays. Part of a caller's transaction.
    """
    reports = job.reports.filter(duplicate_of__isnull=False).exclude(duplicate_of__imported_by=job)
    said = reports.exclude(said={}).order_by().values_list("duplicate_of", flat=True)
    keys = sorted(set(said))
    elsewhere = Question.objects.filter(pk__in=reports.values("duplicate_of")).exclude(pool=job.pool_id)
    counted = list(
        elsewhere.annotate(source=counted_source()).filter(source=job.pool.name).values_list("pk", flat=True)
    )
    job.reports.all()._raw_delete(job.reports.db)
    labels = Labels(job.pool.project_id)
    for start in range(0, len(keys), AT_ONCE):
        part = Question.objects.filter(among_keys("pk", keys[start : start + AT_ONCE]))
        store(list(read_ledgers(part, labels)), labels)
    forget_flaws(counted)
