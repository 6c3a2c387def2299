"""Labels as rows: which domain a question is in, and who said so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.models import Project, User
from curator.core.classification import OTHER
from curator.models import Domain, DomainSource, QuestionEdit

Labelled = tuple[int, int, float | None]  # keys of question and domain, confidence


def other_domain(project: Project) -> Domain:
    """Return the domain for what belongs to no other; it is made when it is first needed."""
    name = "其他" if project.languages[:1] == ["zh"] else "Other"
    domain: Domain = Domain.objects.get_or_create(project=project, code=OTHER, defaults={"name": name})[0]
    return domain


@dataclass(frozen=True)
class Changed:
    """A change of many questions at once; field and moment name it, should it be undone."""

    count: int
    field: str
    at: datetime


def relabel(*, keys: Sequence[int], domain: Domain | None, source: str | None, by: User | None) -> Changed:
    """Move questions to a domain and note each change by code; `source` None keeps who said it.

    Part of a caller's transaction.
    """
    given = {"keys": list(keys), "code": domain.code if domain else "", "source": source}
    return _write(_CHOSEN, given | {"domain": domain.pk if domain else None}, by)


def take_back_labels(*, project: Project, at: datetime, by: User) -> Changed:
    """Put questions back into the domains in which they were before a change of many, as surely as they were.

    What was moved since stays. Part of a caller's transaction.

    Raises:
        Refusal: a domain that is needed for it is gone.
    """
    edits = QuestionEdit.objects.filter(
        question__project=project, field="domain", changed_at=at, changed_by=by, overwritten__isnull=False
    )
    codes = set(edits.order_by().values_list("before", flat=True).distinct()) - {""}
    there = Domain.objects.filter(project=project, code__in=codes).values_list("code", flat=True)
    if gone := sorted(codes - set(there)):
        raise Refusal(_("There is no domain with the code %(code)s any more.") % {"code": gone[0]})
    return _write(_TAKEN_BACK, {"edits": list(edits.values_list("pk", flat=True))}, by)


# What becomes of which questions: their domain, its code, who says so, how sure they are.
_CHOSEN = """
    select q.id, coalesce(d.code, '') as before, q.domain_source, q.domain_confidence,
        %(domain)s::bigint as domain, %(code)s as code, coalesce(%(source)s, q.domain_source) as source,
        null::float8 as confidence
    from curator_question q left join curator_domain d on d.id = q.domain_id
    where q.id = any(%(keys)s) order by q.id for no key update of q
"""
_TAKEN_BACK = """
    select q.id, e.after as before, q.domain_source, q.domain_confidence,
        (select id from curator_domain where project_id = q.project_id and code = e.before) as domain,
        e.before as code, e.overwritten ->> 'source' as source, (e.overwritten ->> 'confidence')::float8 as confidence
    from curator_questionedit e join curator_question q on q.id = e.question_id
    left join curator_domain d on d.id = q.domain_id
    where e.id = any(%(edits)s) and coalesce(d.code, '') = e.after order by q.id for no key update of q
"""
_RELABEL = """
with chosen as materialized ({chosen}), noted as (
    insert into curator_questionedit (question_id, field, before, after, changed_by_id, changed_at, overwritten)
    select id, 'domain', before, code, %(by)s, %(at)s,
        jsonb_build_object('source', domain_source, 'confidence', domain_confidence)
    from chosen where before <> code or domain_source <> source
)
update curator_question q set domain_id = chosen.domain, domain_source = chosen.source,
    domain_confidence = chosen.confidence, changed_at = %(at)s
from chosen where q.id = chosen.id
"""


def _write(chosen: str, given: dict[str, Any], by: User | None) -> Changed:
    at = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_RELABEL.format(chosen=chosen), given | {"by": by.pk if by else None, "at": at})
        return Changed(cursor.rowcount, "domain", at)


def store_labels(*, project: Project, source: DomainSource, labelled: Sequence[Labelled]) -> int:
    """Store a machine's labels and return how many; an expert's, and those of vanished domains, are passed over.

    Part of a caller's transaction.
    """
    domains = Domain.objects.select_for_update(no_key=True).filter(project=project)  # none goes meanwhile
    there = set(domains.values_list("pk", flat=True))
    kept = [row for row in labelled if row[1] in there]
    query = """
        update curator_question q
        set domain_id = given.domain, domain_source = %s, domain_confidence = given.confidence, changed_at = now()
        from unnest(%s::bigint[], %s::bigint[], %s::float8[]) as given (question, domain, confidence)
        where q.id = given.question and q.domain_source <> %s and q.project_id = %s
    """
    columns = [list(column) for column in zip(*kept, strict=True)] or [[], [], []]
    with connection.cursor() as cursor:
        cursor.execute(query, [source.value, *columns, DomainSource.EXPERT.value, project.pk])
        return int(cursor.rowcount)
