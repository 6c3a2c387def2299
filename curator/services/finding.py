"""The questions that rows of traces speak of: found by content, by id, or by their text alone."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from django.db.models import QuerySet

from common.core.text import content_hash
from common.models import Project
from curator.core.layouts import TraceRow
from curator.models import Question
from curator.queries.repeats import get_repeated_ids

_FIELDS = ("content_hash", "external_id", "key", "options")


class Missing(StrEnum):
    """Why no question is found, or none is the one."""

    NOWHERE = "nowhere"
    SEVERAL_IDS = "several_ids"
    SEVERAL_STEMS = "several_stems"


class Finder:
    """Finds questions of a project, many at a time.

    By the hash of their content first; then by id; and at last, where neither is there, by the text of a
    question whose options the row does not give, if only one has that text.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.questions: QuerySet[Question] = Question.objects.filter(project=project)
        self.by_stem: dict[bytes, int | Missing] | None = None

    def find(self, rows: Sequence[TraceRow]) -> dict[int, Question | Missing]:
        """Return each row's question, or why there is none, by the row's `id()`."""
        by_hash = self._by_hash({identity for row in rows for identity in row.identities})
        by_id = self._by_id({row.external_id for row in rows if row.external_id})
        found: dict[int, Question | Missing] = {}
        for row in rows:
            same = next((by_hash[each] for each in row.identities if each in by_hash), None)
            found[id(row)] = same or by_id.get(row.external_id, Missing.NOWHERE)
        lost = [row for row in rows if isinstance(found[id(row)], Missing)]
        return found | self._by_text(lost, found)

    def _by_hash(self, hashes: Iterable[str]) -> dict[str, Question]:
        rows = self.questions.filter(content_hash__in=hashes).only(*_FIELDS)
        return {question.content_hash: question for question in rows}

    def _by_id(self, ids: Iterable[str]) -> dict[str, Question | Missing]:
        """Return the questions of ids; the id of a row that repeats a question is that question's, too."""
        ids = list(ids)
        meant: dict[str, dict[int, Question]] = {}
        for question in self.questions.filter(external_id__in=ids).only(*_FIELDS):
            meant.setdefault(question.external_id, {})[question.pk] = question
        repeated = get_repeated_ids(self.project, ids)
        there = self.questions.only(*_FIELDS).in_bulk([key for _id, key in repeated])
        for external_id, key in repeated:
            meant.setdefault(external_id, {})[key] = there[key]
        return {
            external_id: next(iter(questions.values())) if len(questions) == 1 else Missing.SEVERAL_IDS
            for external_id, questions in meant.items()
        }

    def _by_text(
        self, rows: Sequence[TraceRow], found: dict[int, Question | Missing]
    ) -> dict[int, Question | Missing]:
        rows = [row for row in rows if row.identities and not row.gives_options]
        if not rows:
            return {}
        by_stem = self._stems()
        meant: dict[int, int | Missing] = {}
        for row in rows:
            stems = (by_stem[key] for each in row.identities if (key := bytes.fromhex(each)) in by_stem)
            meant[id(row)] = next(stems, Missing.NOWHERE)
        keys = [key for key in meant.values() if isinstance(key, int)]
        there = self.questions.only(*_FIELDS).in_bulk(keys)
        return {
            row: found[row] if key == Missing.NOWHERE else key if isinstance(key, Missing) else there[key]
            for row, key in meant.items()
        }

    def _stems(self) -> dict[bytes, int | Missing]:
        """Return the questions with options by the hash of their text alone; read when first needed."""
        if self.by_stem is None:
            self.by_stem = {}
            with_options = self.questions.exclude(options=[]).order_by().values_list("pk", "text")
            for pk, text in with_options.iterator(chunk_size=5000):
                stem = bytes.fromhex(content_hash(text))
                self.by_stem[stem] = Missing.SEVERAL_STEMS if stem in self.by_stem else pk
        return self.by_stem
