"""Near copies: searched for among all questions of a project, and ruled on by people."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.core.text import normal_form
from common.jobs import ACTIVE, JobState, Pulse, Watch, carried, unwatched
from common.models import Project, User
from curator.core.copies import (
    Copy,
    Merit,
    Pairs,
    clusters,
    compared,
    keys_differ,
    meaning_pairs,
    near_pairs,
)
from curator.models import (
    CopyRuling,
    CopySearch,
    Embedder,
    Lookalike,
    NearCopy,
    Question,
    QuestionEdit,
    Standing,
)
from curator.services.embeddings import vectors_of

THRESHOLD = 0.8
MEANING_THRESHOLD = 0.95  # cosine; below it questions of one topic come together


def start_copy_search(
    *, project: Project, threshold: float = THRESHOLD, embedder: Embedder | None = None, by: User | None
) -> CopySearch:
    """Queue one search for near copies; with an embedding model also for those by meaning.

    Raises:
        Refusal: a search is at work already, or the threshold is out of range.
    """
    if CopySearch.objects.filter(project=project, state__in=ACTIVE).exists():
        raise Refusal(_("A search for copies is at work already; wait for it or cancel it."))
    search = CopySearch(project=project, threshold=threshold, embedder=embedder, created_by=by)
    checked(search, "threshold").save()
    return search


def run_copy_search(*, job: CopySearch, watch: Watch = unwatched) -> None:
    """Carry one search from queued to done; what it finds replaces what the last one found.

    Raises:
        AlreadyClaimed: another worker has it.
    """
    with carried(job):
        pulse = Pulse(job, watch)
        questions = Question.objects.filter(project=job.project)
        total = questions.count()
        pulse(0, total, phase=_("comparing"))
        found = [
            near_pairs(
                _texts(questions), _texts_of, threshold=job.threshold, tick=lambda done: pulse(done, total)
            )
        ]
        if job.embedder is not None:
            pulse(total, total, phase=_("comparing meanings"))
            ids, vectors = vectors_of(job.project, job.embedder)
            found.append(meaning_pairs(ids, vectors, _texts_of, threshold=MEANING_THRESHOLD))
        pulse(total, total, phase=_("writing"))
        _replace(job, found)


@transaction.atomic
def rule_on_copy(*, question: Question, ruling: str, by: User | None) -> None:
    """Keep this question instead of its copies, or say that it is no copy; or take such a word back.

    The cluster that it stands in is settled anew at once: a copy that is not like the new keeper itself
    stands alone. Questions of other clusters wait for the next search, which keeps to the ruling.
    """
    members = _cluster_of(question)
    if ruling == CopyRuling.KEEPER:
        others = Question.objects.filter(pk__in=members, copy_ruling=CopyRuling.KEEPER).exclude(
            pk=question.pk
        )
        for other in others:
            _set_ruling(other, CopyRuling.OPEN, by)
    _set_ruling(question, CopyRuling(ruling), by)
    _settle(question.project, members)


@transaction.atomic
def part_cluster(*, keeper: Question, by: User | None) -> int:
    """Say that no question that stands behind this one is a copy; return how many there were."""
    copies = list(Question.objects.filter(near_copy__keeper=keeper))
    for copy in copies:
        _set_ruling(copy, CopyRuling.APART, by)
    _settle(keeper.project, _cluster_of(keeper))
    return len(copies)


@transaction.atomic
def rule_on_lookalike(*, pair: Lookalike, is_copy: bool, by: User | None) -> None:
    """Say that two questions with different keys are copies all the same, or take that back; at once settled."""
    Lookalike.objects.filter(pk=pair.pk).update(is_copy=is_copy)
    for question, other in ((pair.question, pair.other), (pair.other, pair.question)):
        QuestionEdit.objects.create(
            question=question,
            field="copy_ruling",
            before="" if is_copy else f"= {other.pk}",
            after=f"= {other.pk}" if is_copy else "",
            changed_by=by,
        )
    _settle(pair.question.project, sorted({*_cluster_of(pair.question), *_cluster_of(pair.other)}))


def _set_ruling(question: Question, ruling: CopyRuling, by: User | None) -> None:
    before, question.copy_ruling = question.copy_ruling, ruling
    question.save(update_fields=["copy_ruling", "changed_at"])
    QuestionEdit.objects.create(
        question=question, field="copy_ruling", before=before, after=ruling, changed_by=by
    )


def _cluster_of(question: Question) -> list[int]:
    """Return the questions that share a keeper with this one, and the keeper."""
    own = NearCopy.objects.filter(question=question).values_list("keeper", flat=True).first()
    keeper = own or question.pk
    copies = NearCopy.objects.filter(keeper=keeper).values_list("question", flat=True)
    return sorted({keeper, question.pk, *copies})


def _settle(project: Project, members: Sequence[int]) -> None:
    """Find keepers and copies anew among some questions; likeness by meaning is taken as it was found."""
    last = project.copy_searches.filter(state=JobState.SUCCEEDED).first()
    texts = _texts_of(members)
    pairs = near_pairs(texts.items(), _texts_of, threshold=last.threshold if last else THRESHOLD)
    before = NearCopy.objects.filter(question__in=members)
    by_meaning = _pairs_of(before.filter(kind=NearCopy.Kind.MEANING))
    copies = clusters([_parted(each)[0] for each in (pairs, by_meaning)], _merits(members))
    before.delete()
    _store(copies)


def _pairs_of(rows: "QuerySet[NearCopy]") -> Pairs:
    found = list(rows.values_list("question", "keeper", "likeness"))
    left, right, alike = zip(*found, strict=True) if found else ((), (), ())
    return Pairs(
        np.array(left, np.int64), np.array(right, np.int64), np.array(alike, np.float64), by_meaning=True
    )


@transaction.atomic
def _replace(job: CopySearch, found: Sequence[Pairs]) -> None:
    Project.objects.select_for_update().get(pk=job.project_id)  # no import or undoing meanwhile
    ids = {each for pairs in found for column in (pairs.left, pairs.right) for each in column.tolist()}
    parted = [_parted(pairs) for pairs in found]
    copies = clusters([copies for copies, _lookalikes in parted], _merits(ids))
    NearCopy.objects.filter(question__project=job.project).delete()
    Lookalike.objects.filter(question__project=job.project, is_copy=False).delete()
    _store(copies)
    _store_lookalikes([lookalikes for _copies, lookalikes in parted])
    job.copies, job.clusters = len(copies), len({copy.keeper for copy in copies})
    job.save(update_fields=["copies", "clusters"])


def _parted(pairs: Pairs) -> tuple[Pairs, Pairs]:
    """Part pairs into those that are copies, and those that have different keys.

    Where two texts are the same word by word, one of their keys is wrong: they stay copies. So do those of which
    an expert has said it.
    """
    ids = {*pairs.left.tolist(), *pairs.right.tolist()}
    keys = {pk: (key, options) for pk, key, options in _rows(ids).values_list("pk", "key", "options")}
    ruled = set(_rulings(ids))
    sides = list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    differ = [
        (min(side), max(side)) not in ruled
        and keys.keys() >= set(side)
        and keys_differ(*keys[side[0]], *keys[side[1]])
        for side in sides
    ]
    texts = _normal_texts([pk for side, other in zip(sides, differ, strict=True) if other for pk in side])
    apart = np.array(
        [other and texts[side[0]] != texts[side[1]] for side, other in zip(sides, differ, strict=True)], bool
    )
    return _only(pairs, ~apart), _only(pairs, apart)


def _rows(ids: Collection[int]) -> "QuerySet[Question]":
    rows: QuerySet[Question] = Question.objects.filter(pk__in=ids)
    return rows


def _rulings(ids: Collection[int]) -> "QuerySet[Lookalike, tuple[int, int]]":
    rows = Lookalike.objects.filter(question__in=ids, is_copy=True)
    return rows.values_list("question_id", "other_id")


def _only(pairs: Pairs, chosen: "np.ndarray[Any, np.dtype[np.bool_]]") -> Pairs:
    return pairs._replace(left=pairs.left[chosen], right=pairs.right[chosen], likeness=pairs.likeness[chosen])


def _store_lookalikes(found: Sequence[Pairs]) -> None:
    Lookalike.objects.bulk_create(
        [
            Lookalike(
                question_id=min(left, right),
                other_id=max(left, right),
                likeness=min(1.0, alike),
                by_meaning=pairs.by_meaning,
            )
            for pairs in found
            for left, right, alike in zip(
                pairs.left.tolist(), pairs.right.tolist(), pairs.likeness.tolist(), strict=True
            )
        ],
        batch_size=2000,
        ignore_conflicts=True,
    )


def _store(copies: Sequence[Copy]) -> None:
    kinds = {True: NearCopy.Kind.MEANING, False: NearCopy.Kind.TEXT}
    NearCopy.objects.bulk_create(
        [
            NearCopy(
                question_id=copy.id,
                keeper_id=copy.keeper,
                kind=kinds[copy.by_meaning],
                likeness=copy.likeness,
            )
            for copy in copies
        ],
        batch_size=2000,
    )


def _merits(ids: Collection[int]) -> Iterator[Merit]:
    rows = Question.objects.filter(pk__in=ids).values_list(
        "pk", "content_hash", "key", Length("solution"), "copy_ruling", "standing"
    )
    for pk, content_hash, key, solution_length, ruling, standing in rows.iterator():
        yield Merit(
            id=pk,
            content_hash=content_hash,
            has_key=bool(key),
            solution_length=solution_length,
            is_chosen=ruling == CopyRuling.KEEPER,
            is_apart=ruling == CopyRuling.APART,
            is_pinned=standing == Standing.PINNED,
            is_banned=standing == Standing.BANNED,
        )


def _texts(rows: "QuerySet[Question]") -> Iterator[tuple[int, str]]:
    for pk, text, options in rows.order_by("pk").values_list("pk", "text", "options").iterator():
        yield pk, compared(text, options)


def _normal_texts(ids: Sequence[int]) -> Mapping[int, str]:
    return {pk: normal_form(text) for pk, text in _texts_of(ids).items()}


def _texts_of(ids: Sequence[int]) -> Mapping[int, str]:
    return dict(_texts(Question.objects.filter(pk__in=ids)))
