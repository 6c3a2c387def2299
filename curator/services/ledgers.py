"""What a question has from all rows that say it: read into an account, and written where it is something else.

A report keeps what its row says where that is not what the question's own row says, and a question keeps what
its own row said where it has something else now. So what it has can be worked out anew from both at any time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from django.db import connection
from django.db.models import Q, QuerySet

from curator.core.repeats import FIELDS, Account, Saying, is_same_key
from curator.models import Domain, DomainSource, Question, QuestionEdit, QuestionWords, RowReport
from curator.queries.among import among_keys
from curator.queries.repeats import counted_source
from curator.services import marking

Plain = dict[str, Any]  # what a row says, as JSON keeps it
# Whose labels a file's may take the place of.
_OF_FILES = ("", DomainSource.FILE.value)
_SETTLED_BY = {"text": ("wording",), "options": ("wording", "key")}  # by an edit, beside the field itself


class _Held(NamedTuple):
    """A question as it stands."""

    pk: int
    content_hash: str
    pool: int
    key: str
    solution: str
    marks: Decimal | None
    domain: int | None
    domain_source: str
    rating: int | None
    tags: list[str]
    language: str
    text: str
    options: list[str]
    neutralised: bool
    own_row: Plain | None
    key_disputed: bool
    source: str


class _Written(NamedTuple):
    """What is written of a question, in the order of the statement below."""

    pk: int
    key: str
    solution: str
    marks: Decimal | None
    domain: int | None
    domain_source: str
    rating: int | None
    tags: str
    language: str
    text: str
    options: str
    neutralised: bool
    own_row: str | None
    key_disputed: bool


_WRITE = """
update curator_question q
set key = given.key, solution = given.solution, marks = given.marks, domain_id = given.domain,
  domain_source = given.domain_source, rating = given.rating, language = given.language, text = given.text,
  tags = array(select jsonb_array_elements_text(given.tags))::varchar[],
  options = array(select jsonb_array_elements_text(given.options)),
  neutralised = given.neutralised, own_row = given.own_row, key_disputed = given.key_disputed,
  changed_at = now()
from unnest(%s::bigint[], %s::text[], %s::text[], %s::numeric[], %s::bigint[], %s::text[], %s::int[],
  %s::jsonb[], %s::text[], %s::text[], %s::jsonb[], %s::bool[], %s::jsonb[], %s::bool[])
  as given (id, key, solution, marks, domain, domain_source, rating, tags, language, text, options,
  neutralised, own_row, key_disputed)
where q.id = given.id
"""


class Labels:
    """A project's domains by what files call them: a name, or else a code."""

    def __init__(self, project_id: int) -> None:
        self.project_id = project_id
        self.id_of: dict[str, int] = {}
        self._read()

    def _read(self) -> None:
        rows = list(Domain.objects.filter(project=self.project_id).values_list("pk", "code", "name"))
        self.id_of = {code: pk for pk, code, _name in rows}
        self.label_of = {pk: (name, code) for pk, code, name in rows}
        by_code = {code: (name, code) for _pk, code, name in rows}
        self.by_text = by_code | {name: (name, code) for _pk, code, name in rows}

    def named(self, text: str) -> tuple[str, str]:
        """Return the name and code of what a file calls so; a domain that is not there has it for its name."""
        return self.by_text.get(text) or (text, text[:100])

    def make(self, labels: Iterable[tuple[str, str]]) -> None:
        """Let domains that are not there join the taxonomy."""
        missing = {code: name for name, code in sorted(labels) if code not in self.id_of}
        if missing:
            made = [
                Domain(project_id=self.project_id, code=code, name=name) for code, name in missing.items()
            ]
            Domain.objects.bulk_create(made, ignore_conflicts=True)
            self._read()


@dataclass
class Ledger:
    """A question with its account."""

    held: _Held
    own: Saying
    account: Account
    is_counted_here: bool = False  # from now on, to the pool of the import
    kept_key: str = ""  # stays as it is written, whichever of those that say the same the account has chosen

    @property
    def chosen(self) -> Saying:
        """Return what the question is to have."""
        return self.account.chosen | ({"key": self.kept_key} if self.kept_key else {})


def read_ledgers(questions: "QuerySet[Question]", labels: Labels) -> Iterator[Ledger]:
    """Yield questions with what rows have said of them so far; no one else changes them meanwhile."""
    keys = list(questions.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    settled = _settled(keys)
    said: dict[int, list[Plain]] = {}
    reports = RowReport.objects.filter(among_keys("duplicate_of", keys)).exclude(said={}).order_by("pk")
    for key, plain in reports.values_list("duplicate_of", "said"):
        said.setdefault(key, []).append(plain)
    columns = [name for name in _Held._fields if name != "source"]
    rows = Question.objects.filter(among_keys("pk", keys)).annotate(source=counted_source())
    for row in rows.order_by("pk").values_list(*columns, "source"):
        ledger = _ledger(_Held(*row), settled.get(row[0], set()), labels)
        for plain in said.get(row[0], ()):
            ledger.account.add(saying(plain, labels))
        yield ledger


def _ledger(held: _Held, settled: set[str], labels: Labels) -> Ledger:
    if held.domain_source not in _OF_FILES:
        settled = settled | {"domain"}
    own_row = {name: value for name, value in (held.own_row or {}).items() if name not in settled}
    if "domain" in own_row and own_row["domain"] not in labels.id_of:
        own_row["domain"] = None  # it has none, or someone has removed it since
    before = saying({name: value for name, value in own_row.items() if value is not None}, labels)
    now = _saying_of(held, labels)
    own = {name: value for name, value in now.items() if name not in own_row} | before
    return Ledger(held, own, Account(own, settled=settled))


def _settled(keys: Sequence[int]) -> dict[int, set[str]]:
    """Return the fields about which an expert has spoken, by question."""
    found: dict[int, set[str]] = {}
    edits = (
        QuestionEdit.objects.filter(among_keys("question", keys)).order_by().values_list("question", "field")
    )
    for question, name in edits.distinct():
        found.setdefault(question, set()).update((name, *_SETTLED_BY.get(name, ())))
    return found


def _saying_of(held: _Held, labels: Labels) -> Saying:
    values: dict[str, Any] = {
        "key": held.key,
        "solution": held.solution,
        "marks": held.marks,
        "domain": labels.label_of.get(held.domain) if held.domain else None,
        "rating": held.rating,
        "tags": tuple(held.tags),
        "language": held.language,
        "wording": (held.text, *held.options),
        "neutralised": held.neutralised,
    }
    return {name: value for name, value in values.items() if not lacks(value)}


def lacks(value: Any) -> bool:
    """Tell whether a value is none."""
    return value is None or value is False or value in ("", (), [])


def saying(plain: Plain, labels: Labels) -> dict[str, Any]:
    """Return what JSON keeps of a row as values that can be compared."""
    read: Mapping[str, Callable[[Any], Any]] = {
        "marks": Decimal,
        "domain": labels.named,
        "tags": tuple,
        "wording": tuple,
    }
    return {name: read[name](value) if name in read else value for name, value in plain.items()}


def _plain(own: Saying, name: str) -> Any:
    """Return a value of a question's own row as JSON keeps it; None where that has none."""
    value = own.get(name)
    if name == "domain" and value is not None:
        return value[1]
    return str(value) if isinstance(value, Decimal) else value


# --- what is written ---


def store(ledgers: Sequence[Ledger], labels: Labels) -> None:
    """Write what questions have now where that is something else, and mark again what another key decides."""
    answered = _keep_keys(ledgers)
    labels.make(ledger.chosen["domain"] for ledger in ledgers if "domain" in ledger.chosen)
    changed = [(ledger, row) for ledger in ledgers if (row := _written(ledger, labels)) is not None]
    if not changed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE, [list(column) for column in zip(*(row for _ledger, row in changed), strict=True)]
        )
    reworded = [
        row.pk
        for ledger, row in changed
        if (row.text, list(row.options)) != (ledger.held.text, list(ledger.held.options))
    ]
    QuestionWords.objects.filter(question__in=reworded).delete()
    forget_flaws(reworded)
    rekeyed = [row.pk for ledger, row in changed if row.key != ledger.held.key and row.pk in answered]
    for question in Question.objects.filter(pk__in=rekeyed).order_by("pk"):
        marking.mark_again(question)


def forget_flaws(keys: Sequence[int]) -> None:
    """Let questions be read again by the next selection: a pattern can ask for the wording and the source."""
    Question.objects.filter(among_keys("pk", keys), flaws__isnull=False).update(flaws=None)


def _keep_keys(ledgers: Sequence[Ledger]) -> set[int]:
    """Let a key by which answers were marked stay as it is written, where the new one says the same.

    Returns the questions with another key that models have answered.
    """
    rekeyed = [ledger for ledger in ledgers if ledger.chosen.get("key", "") != ledger.held.key]
    questions = Question.objects.filter(pk__in=[ledger.held.pk for ledger in rekeyed])
    answering = questions.filter(Q(traces__isnull=False) | Q(attempts__isnull=False)).distinct()
    answered = set(answering.values_list("pk", flat=True))
    for ledger in rekeyed:
        held, key = ledger.held, ledger.account.chosen.get("key", "")
        if held.pk in answered and held.key and key and is_same_key(held.key, key, held.options):
            ledger.kept_key = held.key
    return answered


def _written(ledger: Ledger, labels: Labels) -> _Written | None:
    """Return the columns of a question, or None where they all stay."""
    held, chosen = ledger.held, ledger.chosen
    own_row = {name: _plain(ledger.own, name) for name in FIELDS if chosen.get(name) != ledger.own.get(name)}
    text, *options = chosen["wording"]
    domain, source = held.domain, held.domain_source
    if "domain" not in ledger.account.settled:
        domain = labels.id_of[chosen["domain"][1]] if "domain" in chosen else None
        source = DomainSource.FILE.value if domain else ""
    now = held._replace(
        key=chosen.get("key", ""),
        solution=chosen.get("solution", ""),
        marks=chosen.get("marks"),
        domain=domain,
        domain_source=source,
        rating=chosen.get("rating"),
        tags=list(chosen.get("tags", ())),
        language=chosen["language"],
        text=text,
        options=options,
        neutralised=chosen.get("neutralised", False),
        own_row=own_row or None,
        key_disputed=ledger.account.is_disputed,
    )
    if now == held:
        return None
    kept = {name: value for name, value in now._asdict().items() if name in _Written._fields}
    for name in ("tags", "options", "own_row"):
        kept[name] = None if kept[name] is None else orjson.dumps(kept[name]).decode()
    return _Written(**kept)
