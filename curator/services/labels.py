"""Labels as rows: which domain a question is in, and who said so."""

from collections.abc import Sequence

from django.db import connection

from common.models import Project, User
from curator.core.classification import OTHER
from curator.models import Domain, DomainSource

Labelled = tuple[int, int, float | None]  # keys of question and domain, confidence


def other_domain(project: Project) -> Domain:
    """Return the domain for what belongs to no other; it is made when it is first needed."""
    name = "其他" if project.languages[:1] == ["zh"] else "Other"
    domain: Domain = Domain.objects.get_or_create(project=project, code=OTHER, defaults={"name": name})[0]
    return domain


def relabel(*, keys: Sequence[int], domain: Domain | None, source: str | None, by: User | None) -> int:
    """Move questions to a domain and note each change of domain by code; `source` None keeps who said it.

    Part of a caller's transaction.
    """
    code = domain.code if domain else ""
    query = """
        with chosen as materialized (
            select q.id, coalesce(d.code, '') as before
            from curator_question q left join curator_domain d on d.id = q.domain_id
            where q.id = any(%(keys)s) order by q.id for no key update of q
        ), noted as (
            insert into curator_questionedit (question_id, field, before, after, changed_by_id, changed_at)
            select id, 'domain', before, %(code)s, %(by)s, now() from chosen where before <> %(code)s
        )
        update curator_question q
        set domain_id = %(domain)s, domain_source = coalesce(%(source)s, q.domain_source),
            domain_confidence = null, changed_at = now()
        from chosen where q.id = chosen.id
    """
    given = {"keys": list(keys), "code": code, "by": by.pk if by else None, "source": source}
    with connection.cursor() as cursor:
        cursor.execute(query, given | {"domain": domain.pk if domain else None})
        return int(cursor.rowcount)


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
