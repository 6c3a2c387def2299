"""What experts change of questions: one by one with its history, and many at once."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Conflict, Refusal
from common.core.text import content_hash, neutralise
from common.models import Project, User
from curator.core.rows.cells import Refused
from curator.core.rows.options import key_letters, read_key
from curator.models import Domain, Lookalike, NearCopy, Pool, Question, QuestionEdit, QuestionWords, Standing
from curator.queries.edits import noted
from curator.services import leaks, marking, reviews
from curator.services.classification import set_domains
from curator.services.labels import Changed, take_back_labels

EDITABLE = ("text", "options", "key", "solution", "marks", "language", "rating", "tags", "domain")


# --- one question ---


@transaction.atomic
def edit_question(
    *, question: Question, values: Mapping[str, Any], by: User | None, seen: str | None = None
) -> tuple[str, ...]:
    """Change fields of a question, note each change, and return the fields that are other now.

    `values` names fields of `EDITABLE`; a domain is a Domain or None. `seen` is the version on which a
    person has worked. Other options or another key mark all traces and attempts anew.

    Raises:
        Conflict: someone was faster.
        Refusal: a value cannot be, or another question says the same.
    """
    row = (
        Question.objects.select_for_update(of=("self",)).select_related("domain", "pool").get(pk=question.pk)
    )
    if seen is not None and version_of(row) != seen:
        raise Conflict(_("Someone changed this question while you did; look at it again, then change it."))
    before = {field: noted(row, field) for field in EDITABLE}
    plain = {field: value for field, value in values.items() if field != "domain"}
    _assign(row, plain)
    changed = [field for field in plain if noted(row, field) != before[field]]
    if {"key", "options"} & set(changed):
        row.key_disputed = False
    if changed:
        _save(row, changed)
        _note(row, {field: before[field] for field in changed}, by)
    if {"text", "options", "key"} & set(changed):
        reviews.settle_doubts(question=row, by=by)
    if "domain" in values and values["domain"] != row.domain:
        set_domains(questions=Question.objects.filter(pk=row.pk), domain=values["domain"], by=by)
        changed.append("domain")
    return tuple(changed)


def version_of(question: Question) -> str:
    """Return what tells one state of a question's editable fields from another."""
    state = json.dumps([noted(question, field) for field in EDITABLE])
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def _assign(row: Question, values: Mapping[str, Any]) -> None:
    """Put values into a row, made harmless; the key is read against the options."""
    for field, value in values.items():
        clean, is_changed = _harmless(value)
        setattr(row, field, clean)
        row.neutralised = row.neutralised or is_changed
    if not row.text:
        raise Refusal(_("A question needs a text; write it, or ban the question."))
    checked(row, "marks", "rating", "tags", "language")
    if {"key", "options"} & values.keys():
        row.key = _key(row.key, row.options)


def _harmless(value: Any) -> tuple[Any, bool]:
    if isinstance(value, str):
        clean, is_changed = neutralise(value.strip())
        return clean.strip(), is_changed
    if isinstance(value, list | tuple):
        cleaned = [_harmless(each) for each in value]
        return [clean for clean, _changed in cleaned], any(is_changed for _clean, is_changed in cleaned)
    return value, False


def _key(key: str, options: Sequence[str]) -> str:
    try:
        return read_key(key, options)
    except Refused as refused:
        last = chr(ord("A") + len(options) - 1)
        if key_letters(key, len(options)) is None:
            raise Refusal(refused.reason) from refused
        raise Refusal(
            _("The key %(key)s names an option that is not there: the options end at %(last)s.")
            % {"key": key[:40], "last": last}
        ) from refused


def _save(row: Question, changed: Sequence[str]) -> None:
    if {"text", "options"} & set(changed):
        row.content_hash = content_hash(row.text, row.options)
        row.flaws = None  # they are read again by the next selection
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Refusal(_same(row)) from error
    if {"text", "options"} & set(changed):
        QuestionWords.objects.filter(question=row).delete()
    if {"text", "options"} & set(changed):  # what was found out about the old text is void
        NearCopy.objects.filter(Q(question=row) | Q(keeper=row)).delete()
        leaks.find_for_questions(questions=[row])
    if {"text", "options", "key"} & set(changed):
        Lookalike.objects.filter(Q(question=row) | Q(other=row)).delete()
    if {"key", "options"} & set(changed):
        marking.mark_again(row)


def _same(row: Question) -> str:
    other = Question.objects.get(project=row.project_id, content_hash=row.content_hash)
    return _(
        "Question %(number)s of the pool %(pool)s says the same; change that one, or ban one of the two."
    ) % {"number": other.pk, "pool": other.pool.name}


def _note(row: Question, before: Mapping[str, str], by: User | None) -> None:
    QuestionEdit.objects.bulk_create(
        QuestionEdit(question=row, field=field, before=text, after=noted(row, field), changed_by=by)
        for field, text in before.items()
    )


@transaction.atomic
def set_key(*, question: Question, key: str, by: User | None) -> None:
    """Give a question its key, and mark its traces and attempts anew where it is another one.

    A disputed key is settled by it, and the history says so where the key stays, too.

    Raises:
        Refusal: the key names an option that is not there.
    """
    if edit_question(question=question, values={"key": key}, by=by):
        return
    if Question.objects.filter(pk=question.pk, key_disputed=True).update(key_disputed=False):
        question.refresh_from_db(fields=["key"])
        _note(question, {"key": question.key}, by)


@transaction.atomic
def set_keys(*, project: Project, keys: Mapping[int, str], by: User | None) -> int:
    """Give many questions their keys, all or none; return how many have another key now.

    Raises:
        Refusal: a key names an option that is not there.
    """
    rows = Question.objects.filter(project=project, pk__in=keys).order_by("pk")
    done = [edit_question(question=row, values={"key": keys[row.pk]}, by=by) for row in rows]
    return sum(map(bool, done))


def revert_edit(*, edit: QuestionEdit, by: User | None) -> None:
    """Give a field back what it said before a change.

    Raises:
        Refusal: it was changed again since, or what it said is not there any more.
    """
    question = Question.objects.select_related("domain", "pool", "project").get(pk=edit.question_id)
    if noted(question, edit.field) != edit.after:
        raise Refusal(_("This was changed again since; take back the later change first."))
    rows = Question.objects.filter(pk=question.pk)
    if edit.field == "standing":
        set_standings(questions=rows, standing=edit.before, by=by)
    elif edit.field == "pool":
        move_questions(questions=rows, pool=_pool_named(question.project, edit.before), by=by)
    else:
        value = _READ[edit.field](question.project, edit.before)
        edit_question(question=question, values={edit.field: value}, by=by)


def _pool_named(project: Project, name: str) -> Pool:
    pool: Pool | None = Pool.objects.filter(project=project, name=name).first()
    if pool is None:
        raise Refusal(_("There is no pool named %(name)s any more.") % {"name": name})
    return pool


def _domain_coded(project: Project, code: str) -> Domain | None:
    domain = Domain.objects.filter(project=project, code=code).first() if code else None
    if code and domain is None:
        raise Refusal(_("There is no domain with the code %(code)s any more.") % {"code": code})
    return domain


_READ: Mapping[str, Callable[[Project, str], Any]] = {
    **{field: lambda _project, text: text for field in ("text", "key", "solution", "language")},
    **{field: lambda _project, text: json.loads(text) for field in ("options", "tags")},
    "marks": lambda _project, text: Decimal(text) if text else None,
    "rating": lambda _project, text: int(text) if text else None,
    "domain": _domain_coded,
}


# --- many questions ---

# A field as the history notes it, and the column that holds it with how it is read from there.
_NOTED = {
    "standing": "q.standing",
    "pool": "(select name from curator_pool where id = q.pool_id)",
    "rating": "coalesce(q.rating::text, '')",
    "tags": "to_jsonb(q.tags)::text",
}
_WRITTEN = {
    "standing": "standing = chosen.after",
    "pool": "pool_id = (select id from curator_pool where project_id = q.project_id and name = chosen.after)",
    "rating": "rating = nullif(chosen.after, '')::smallint",
    "tags": "tags = array(select jsonb_array_elements_text(chosen.after::jsonb))::varchar[]",
}
_TAGGED = """to_jsonb(array(
    select tag from unnest(q.tags || %(add)s::varchar[]) with ordinality as given (tag, place)
    where tag <> all(%(remove)s::varchar[]) group by tag order by min(place)
))::text"""
# One statement, however many they are: locked in one order, noted, and changed where something changes.
_CHANGE = """
with chosen as materialized (
    select q.id, {noted} as before, {after} as after
    from curator_question q {source} order by q.id for no key update of q
), edited as (
    insert into curator_questionedit (question_id, field, before, after, changed_by_id, changed_at)
    select id, %(field)s, before, after, %(by)s, %(at)s from chosen where before <> after
)
update curator_question q set {written}, changed_at = %(at)s
from chosen where q.id = chosen.id and chosen.before <> chosen.after
"""
_CHOSEN = "where q.id = any(%(keys)s)"
_EDITED = """
join curator_questionedit e on e.question_id = q.id
where q.project_id = %(project)s and e.field = %(field)s and e.changed_at = %(undone)s
    and e.changed_by_id = %(by)s and e.after = {noted}
"""


def set_standing(*, question: Question, standing: str, by: User | None) -> None:
    """Pin a question, ban it, or leave it to the criteria."""
    set_standings(questions=Question.objects.filter(pk=question.pk), standing=standing, by=by)


def set_standings(*, questions: "QuerySet[Question]", standing: str, by: User | None) -> Changed:
    """Pin questions, ban them, or leave them to the criteria."""
    return _change(questions, "standing", "%(value)s", {"value": Standing(standing).value}, by)


def move_questions(*, questions: "QuerySet[Question]", pool: Pool, by: User | None) -> Changed:
    """Move questions to another pool of their project.

    Raises:
        Refusal: a question is of another project than the pool.
    """
    if questions.exclude(project=pool.project_id).exists():
        raise Refusal(_("The pool %(pool)s is of another project.") % {"pool": pool.name})
    return _change(questions, "pool", "%(value)s", {"value": pool.name}, by)


def rate_questions(*, questions: "QuerySet[Question]", rating: int | None, by: User | None) -> Changed:
    """Say how hard questions are, in an expert's name."""
    value = "" if rating is None else str(rating)
    return _change(questions, "rating", "%(value)s", {"value": value}, by)


def tag_questions(
    *, questions: "QuerySet[Question]", add: Sequence[str] = (), remove: Sequence[str] = (), by: User | None
) -> Changed:
    """Add tags to questions and take others away."""
    return _change(questions, "tags", _TAGGED, {"add": list(add), "remove": list(remove)}, by)


@transaction.atomic
def undo_change(*, project: Project, field: str, at: datetime, by: User) -> Changed:
    """Give questions back what they said before a change of many; what was changed since stays.

    Raises:
        Refusal: there is no such change, or a pool or a domain that is needed for it is gone.
    """
    edits = QuestionEdit.objects.filter(question__project=project, field=field, changed_at=at, changed_by=by)
    if field not in {*_NOTED, "domain"} or not edits.exists():
        raise Refusal(_("There is nothing to undo."))
    if field == "domain":
        return take_back_labels(project=project, at=at, by=by)
    if field == "pool":
        for name in edits.order_by().values_list("before", flat=True).distinct():
            _pool_named(project, name)
    given = {"project": project.pk, "undone": at}
    return _execute(field, "e.before", _EDITED.format(noted=_NOTED[field]), given, by)


@transaction.atomic
def _change(
    questions: "QuerySet[Question]", field: str, after: str, given: Mapping[str, Any], by: User | None
) -> Changed:
    keys = list(questions.order_by().values_list("pk", flat=True))
    return _execute(field, after, _CHOSEN, {"keys": keys, **given}, by)


def _execute(field: str, after: str, source: str, given: Mapping[str, Any], by: User | None) -> Changed:
    statement = _CHANGE.format(noted=_NOTED[field], after=after, source=source, written=_WRITTEN[field])
    at = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(statement, {**given, "field": field, "by": by.pk if by else None, "at": at})
        return Changed(cursor.rowcount, field, at)
