"""Questions: found as on their page, read whole, corrected, and pinned, banned or tagged in bulk."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from common.access import Right
from common.api.asking import ApiRequest, editable, project_with, visible
from common.api.errors import Faulty, answers
from common.api.values import Given, Key, PageAsked, PageOut, Text
from common.models import Project
from curator import queries, tasks
from curator.core.rows import LONGEST_TEXT, MOST_OPTIONS
from curator.core.search import LONGEST_SEARCH
from curator.models import Domain, Pool, Question
from curator.queries.lists import as_rows
from curator.services import questions as services

router = Router(tags=[_("Questions")])
MOST_AT_ONCE = 1000
RELATED = ("project", "pool", "domain")
Standing = Literal["open", "pinned", "banned"]
LongText = Annotated[Text, Field(max_length=LONGEST_TEXT)]
Tag = Annotated[Text, Field(min_length=1, max_length=50)]


class QuestionsAsked(PageAsked):
    """Which questions, in which order; all that is named has to hold."""

    text: Text = Field(
        default="",
        max_length=LONGEST_SEARCH,
        description=_("Words to look for, in Chinese or English; quotes keep a phrase together."),
    )
    pool: Text = Field(default="", description=_("Name of a pool."))
    domain: Text = Field(
        default="", description=_("Code of a domain, with all below it; “none” for questions in no domain.")
    )
    language: Text = Field(default="", max_length=8, description=_("Such as “zh” or “en”."))
    standing: Standing | None = None
    key: Literal["missing", "there"] | None = None
    traces: Literal["some", "none"] | None = None
    rating: Literal["1", "2", "3", "4", "5", "none"] | None = None
    marks_from: float | None = Field(default=None, ge=0, le=99_999)
    marks_to: float | None = Field(default=None, ge=0, le=99_999)
    tags: list[Tag] = Field(default=[], max_length=20, description=_("Tags that all have to be there."))
    flags: list[Literal["neutralised", "copy", "leak", "flaw", "disputed", "doubted"]] = []
    order: Literal[
        "best",
        "oldest",
        "newest",
        "changed",
        "most_marks",
        "fewest_marks",
        "longest",
        "shortest",
        "domain",
        "least_sure",
        "hardest",
    ] = Field(
        default="oldest",
        description=_("“best” puts the best match of “text” first; without one it is “oldest”."),
    )


class QuestionRow(Schema):
    """A question in a list."""

    id: int = Field(examples=[1042])
    external_id: str = Field(description=_("Its id in its source."), examples=["2023-II-7"])
    text: str = Field(examples=["1 + 1 = ?"])
    options: list[str] = Field(examples=[["1", "2", "3"]])
    key: str = Field(description=_("The right answer; empty where it needs one."), examples=["B"])
    language: str = Field(examples=["en"])
    marks: float | None
    domain: str = Field(description=_("Code of its domain; empty where it is in none."), examples=["2.1"])
    pool: str = Field(examples=["Past papers"])
    standing: Standing
    rating: int | None = Field(description=_("Difficulty from 1 to 5, as an expert rates it."))
    tags: list[str]
    key_disputed: bool = Field(description=_("Files give it different keys."))
    traces: int = Field(description=_("How many traces it has."))
    right: int = Field(description=_("How many of them answer it right."))
    is_copy: bool = Field(description=_("It is a near copy of another question."))
    leaks: bool = Field(description=_("It shares text with a benchmark."))
    changed_at: datetime


class QuestionPage(PageOut):
    """A page of questions."""

    items: list[QuestionRow]


class QuestionOut(QuestionRow):
    """A question with all that it says."""

    solution: str
    content_hash: str
    domain_source: str = Field(description=_("Who put it into its domain."), examples=["expert"])
    doubts: int = Field(description=_("How many reviewers say that it, or its key, is wrong."))
    seen: str = Field(
        description=_("Names this state of the question; send it along with a correction."),
        examples=["9f86d081884c7d65"],
    )


def _as_shown(schema: dict[str, Any]) -> None:
    """Show no defaults, as what is not named stays, and an example that changes two fields."""
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["examples"] = [{"seen": "9f86d081884c7d65", "key": "B", "tags": ["2024", "checked"]}]


class Correction(Given):
    """What is to be other of a question; what is not named stays."""

    model_config = ConfigDict(json_schema_extra=_as_shown)

    seen: Text = Field(
        max_length=16, description=_("“seen” of the question that you have read; an older one is refused.")
    )
    text: LongText = Field(default="", examples=["1 + 1 = ?"])
    options: list[LongText] = Field(default=[], max_length=MOST_OPTIONS)
    key: LongText = ""
    solution: LongText = ""
    marks: float | None = Field(default=None, ge=0, le=99_999)
    language: Literal["en", "zh"] = "en"
    rating: int | None = Field(default=None, ge=1, le=5)
    tags: list[Tag] = Field(default=[], max_length=50)
    domain: Text | None = Field(default=None, description=_("Code of a domain; null takes it out of any."))


class Chosen(Given):
    """Which questions."""

    questions: list[Key] = Field(min_length=1, max_length=MOST_AT_ONCE, examples=[[1042, 1043]])


class StandingGiven(Chosen):
    """An expert's word about questions."""

    standing: Standing = Field(description=_("It outranks every criterion, from the next selection on."))


class TagsGiven(Chosen):
    """Tags to add to questions, and to take away."""

    add: list[Tag] = Field(default=[], max_length=50, examples=[["2024"]])
    remove: list[Tag] = Field(default=[], max_length=50)


class ChangedOut(Schema):
    """What became of a change of many."""

    changed: int = Field(description=_("How many are other now; those that were so already do not count."))


@router.get(
    "/projects/{slug:slug}/questions",
    response=answers(QuestionPage),
    summary=_("List questions"),
    description=_("The questions of a project as filtered and ordered, without their solutions."),
)
def questions(request: ApiRequest, slug: str, asked: Query[QuestionsAsked]) -> QuestionPage:
    """Return a page of questions."""
    project = project_with(request, slug, Right.SEE_MATERIAL)
    found = queries.get_questions(project, **_filters(project, asked))
    order = queries.get_order(project, "" if asked.order == "best" else asked.order, asked.text)
    page = asked.page_of(found, order, as_rows)
    return QuestionPage(items=_rows(page.rows), after=page.after)


def _filters(project: Project, asked: QuestionsAsked) -> dict[str, Any]:
    """Return the filters as the query takes them: what is named by name or code, by its key."""
    chosen = asked.model_dump(exclude={"limit", "after", "order", "pool", "domain"})
    if asked.pool:
        chosen["pool"] = _pool(project, asked.pool)
    if asked.domain:
        is_none = asked.domain == queries.NO_DOMAIN
        chosen["domain"] = asked.domain if is_none else str(_domain(project, asked.domain).pk)
    return chosen


def _pool(project: Project, name: str) -> Pool:
    found: Pool | None = Pool.objects.filter(project=project, name=name).first()
    if found is None:
        raise Faulty(("pool", gettext("There is no pool of that name.")))
    return found


def _domain(project: Project, code: str) -> Domain:
    found: Domain | None = Domain.objects.filter(project=project, code=code).first()
    if found is None:
        raise Faulty(("domain", gettext("There is no domain with that code.")))
    return found


def _rows(found: Iterable[Question]) -> list[QuestionRow]:
    return [QuestionRow(**_said(listed)) for listed in queries.get_listed(list(found))]


def _said(listed: queries.Listed) -> dict[str, Any]:
    question = listed.question
    plain = ("external_id", "text", "options", "key", "language", "standing", "rating", "tags")
    return {
        **{name: getattr(question, name) for name in (*plain, "key_disputed", "changed_at")},
        "id": question.pk,
        "marks": None if question.marks is None else float(question.marks),
        "domain": question.domain.code if question.domain else "",
        "pool": question.pool.name,
        "traces": listed.traces,
        "right": listed.right,
        "is_copy": listed.is_copy,
        "leaks": listed.leaks,
    }


@router.get(
    "/questions/{int:number}",
    response=answers(QuestionOut),
    summary=_("One question"),
    description=_("All that a question says, with the mark that a correction of it needs."),
)
def question(request: ApiRequest, number: int) -> QuestionOut:
    """Return one question."""
    return _whole(visible(request, Question.objects.select_related(*RELATED), pk=number))


def _whole(found: Question) -> QuestionOut:
    (listed,) = queries.get_listed([found])
    return QuestionOut(
        **_said(listed),
        solution=found.solution,
        content_hash=found.content_hash,
        domain_source=found.domain_source,
        doubts=queries.get_doubts(found).count(),
        seen=services.version_of(found),
    )


@router.patch(
    "/questions/{int:number}",
    response=answers(QuestionOut, 409),
    summary=_("Correct a question"),
    description=_(
        "Changes the fields that are named and keeps each change in the question's history. Another key or other "
        "options mark its traces anew. Answers 409 where someone has changed the question since you read it."
    ),
)
def question_correct(request: ApiRequest, number: int, given: Correction) -> QuestionOut:
    """Change fields of a question."""
    found = editable(request, Question.objects.select_related(*RELATED), pk=number)
    values = given.model_dump(exclude_unset=True)
    seen = values.pop("seen")
    if values.get("marks") is not None:
        values["marks"] = Decimal(str(values["marks"]))
    if values.get("domain") is not None:
        values["domain"] = _domain(found.project, values["domain"])
    changed = services.edit_question(question=found, values=values, seen=seen, by=request.auth.user)
    if "text" in changed:
        tasks.write_words.delay_on_commit()
    return _whole(Question.objects.select_related(*RELATED).get(pk=number))


@router.post(
    "/projects/{slug:slug}/questions/standing",
    response=answers(ChangedOut),
    summary=_("Pin, ban or open questions"),
    description=_("At most 1,000 at once, all or none; each change is kept in the question's history."),
)
def questions_stand(request: ApiRequest, slug: str, given: StandingGiven) -> ChangedOut:
    """Pin questions, ban them, or leave them to the criteria."""
    project = project_with(request, slug, Right.CURATE)
    changed = services.set_standings(
        questions=_chosen(project, given), standing=given.standing, by=request.auth.user
    )
    return ChangedOut(changed=changed.count)


@router.post(
    "/projects/{slug:slug}/questions/tags",
    response=answers(ChangedOut),
    summary=_("Tag questions"),
    description=_("Adds tags and takes others away; at most 1,000 questions at once, all or none."),
)
def questions_tag(request: ApiRequest, slug: str, given: TagsGiven) -> ChangedOut:
    """Add tags to questions and take others away."""
    project = project_with(request, slug, Right.CURATE)
    changed = services.tag_questions(
        questions=_chosen(project, given), add=given.add, remove=given.remove, by=request.auth.user
    )
    return ChangedOut(changed=changed.count)


def _chosen(project: Project, given: Chosen) -> "QuerySet[Question]":
    """Return the questions that are named.

    Raises:
        Faulty: the project does not have them all.
    """
    wanted = set(given.questions)
    rows: QuerySet[Question] = Question.objects.filter(project=project, pk__in=wanted)
    if missing := sorted(wanted - set(rows.values_list("pk", flat=True))):
        named = ", ".join(map(str, missing[:10]))
        said = gettext("The project has no questions with these numbers: %(numbers)s.")
        raise Faulty(("questions", said % {"numbers": named}))
    return rows
