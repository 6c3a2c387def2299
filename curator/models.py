"""From pools of questions to a frozen dataset: the tables, and what a row knows about itself."""

from decimal import Decimal
from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from common.jobs import Job
from common.models import Project

HASH_LENGTH = 64  # hex digits of SHA-256


class Domain(ProjectRow):
    """A branch of the project's taxonomy: a unit of the syllabus."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="domains")
    code = models.CharField(_("code"), max_length=100)
    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    weight = models.FloatField(_("weight"), null=True, blank=True, validators=[MinValueValidator(0)])

    class Meta:
        verbose_name = _("domain")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["project", "code"], name="domain_code_once"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="domain_not_its_own_parent"),
            models.CheckConstraint(
                condition=Q(weight__isnull=True) | Q(weight__gte=0), name="domain_weight_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Pool(ProjectRow):
    """One source of questions with its licence and provenance."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="pools")
    name = models.CharField(_("name"), max_length=200)
    licence = models.CharField(_("licence"), max_length=200)
    provenance = models.TextField(_("where it comes from"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("pool")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="pool_name_once"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(licence=""), name="pool_has_name_and_licence"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("pool", args=[self.pk])


class Import(Job, ProjectRow):
    """One file read into a pool."""

    task_name: ClassVar[str] = "curator.tasks.run_import"
    project_path: ClassVar[str] = "pool__project"

    pool = models.ForeignKey(Pool, models.CASCADE, related_name="imports")
    file_name = models.CharField(_("file"), max_length=255)
    file_path = models.TextField(blank=True)  # where the upload lies; empty once it is read
    file_hash = models.CharField(max_length=HASH_LENGTH)
    mapping = models.JSONField(default=dict)  # field → column
    encoding = models.CharField(max_length=20, blank=True)
    rows_read = models.PositiveIntegerField(_("rows read"), default=0)
    rows_imported = models.PositiveIntegerField(_("imported"), default=0)
    rows_duplicate = models.PositiveIntegerField(_("duplicates"), default=0)
    rows_rejected = models.PositiveIntegerField(_("rejected"), default=0)
    rows_without_key = models.PositiveIntegerField(_("need a key"), default=0)

    class Meta(Job.Meta):
        verbose_name = _("import")
        ordering = ["-created_at", "-pk"]
        constraints = [
            *Job.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(state="succeeded")
                | Q(rows_read=F("rows_imported") + F("rows_duplicate") + F("rows_rejected")),
                name="import_rows_add_up",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def project(self) -> Project:
        """Return the project whose pool it is."""
        return self.pool.project

    def get_absolute_url(self) -> str:
        return reverse("import", args=[self.pk])


class RowReport(ProjectRow):
    """A row of a file that became no question of its own: refused, or there already."""

    class Kind(models.TextChoices):
        REJECTED = "rejected", _("rejected")
        DUPLICATE = "duplicate", _("duplicate")

    project_path: ClassVar[str] = "imported_by__pool__project"

    imported_by = models.ForeignKey(Import, models.CASCADE, related_name="reports")
    kind = models.CharField(max_length=9, choices=Kind)
    row_number = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=200, blank=True)
    reason = models.TextField(_("reason"))
    text = models.TextField(_("text"), blank=True)
    duplicate_of = models.ForeignKey("Question", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["row_number"]
        constraints = [
            models.UniqueConstraint(fields=["imported_by", "row_number"], name="report_row_once"),
            models.CheckConstraint(condition=Q(kind__in=["rejected", "duplicate"]), name="report_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.row_number}: {self.reason}"


class Standing(models.TextChoices):
    """An expert's word about a question, which outranks every criterion."""

    OPEN = "open", _("open")
    PINNED = "pinned", _("pinned")
    BANNED = "banned", _("banned")


class Question(ProjectRow):
    """A question of a pool; its identity is the hash of its normalised content."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="questions")
    pool = models.ForeignKey(Pool, models.CASCADE, related_name="questions")
    imported_by = models.ForeignKey(Import, models.CASCADE, null=True, blank=True, related_name="questions")
    content_hash = models.CharField(max_length=HASH_LENGTH)
    external_id = models.CharField(_("id in its source"), max_length=200, blank=True)
    text = models.TextField(_("question"))
    options = ArrayField(models.TextField(), default=list, blank=True, verbose_name=_("options"))
    key = models.TextField(_("key"), blank=True)  # empty: needs one
    solution = models.TextField(_("reference solution"), blank=True)
    marks = models.DecimalField(
        _("marks"), max_digits=7, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    language = models.CharField(_("language"), max_length=8)
    domain = models.ForeignKey(Domain, models.PROTECT, null=True, blank=True, related_name="questions")
    standing = models.CharField(_("standing"), max_length=6, choices=Standing, default=Standing.OPEN)
    neutralised = models.BooleanField(default=False)  # markup in the text was made harmless
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("question")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "content_hash"], name="question_once_in_project"),
            models.CheckConstraint(condition=~Q(text=""), name="question_has_text"),
            models.CheckConstraint(condition=Q(standing__in=Standing.values), name="question_standing_known"),
            models.CheckConstraint(
                condition=Q(marks__isnull=True) | Q(marks__gte=0), name="question_marks_positive"
            ),
        ]
        indexes = [
            models.Index(fields=["pool", "id"]),
            models.Index(fields=["project", "domain", "id"]),
            models.Index(fields=["project", "external_id"]),
        ]

    def __str__(self) -> str:
        return self.text[:80]

    def get_absolute_url(self) -> str:
        return reverse("question", args=[self.pk])


class Endpoint(ProjectRow):
    """A model reached through an OpenAI-compatible address, with prices, limits and an encrypted key."""

    edit_right: ClassVar[Right] = Right.SPEND

    name = models.CharField(_("name"), max_length=100)
    base_url = models.URLField(
        _("address"), max_length=500, blank=True, help_text=_("Ends in /v1, as a rule.")
    )
    model = models.CharField(_("model"), max_length=200, blank=True)
    encrypted_key = models.BinaryField(default=bytes, blank=True, editable=False)
    price_in_usd = models.DecimalField(
        _("USD per million tokens in"),
        max_digits=9,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
    )
    price_out_usd = models.DecimalField(
        _("USD per million tokens out"),
        max_digits=9,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
    )
    max_in_flight = models.PositiveSmallIntegerField(
        _("requests in flight"), default=8, validators=[MinValueValidator(1), MaxValueValidator(256)]
    )
    max_tokens = models.PositiveIntegerField(_("most tokens per answer"), default=32_768)
    temperature = models.FloatField(
        _("temperature"), default=0.6, validators=[MinValueValidator(0), MaxValueValidator(2)]
    )
    is_stand_in = models.BooleanField(
        _("stand-in"),
        default=False,
        help_text=_("Not a model, but a program that plays one; shown wherever it is used."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="%(class)s_name_once"),
            models.CheckConstraint(
                condition=Q(price_in_usd__gte=0, price_out_usd__gte=0), name="%(class)s_prices_not_negative"
            ),
            models.CheckConstraint(condition=Q(max_in_flight__gte=1), name="%(class)s_asks_something"),
        ]

    def __str__(self) -> str:
        return self.name


class Teacher(Endpoint):
    """A reasoning model whose traces are learnt from. Without an address its traces can only be imported."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="teachers")

    class Meta(Endpoint.Meta):
        verbose_name = _("teacher")
        ordering = ["name"]

    def get_absolute_url(self) -> str:
        return reverse("teacher", args=[self.pk])


class Solver(Endpoint):
    """A weaker model whose pass rate on a question measures its difficulty."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="solvers")

    class Meta(Endpoint.Meta):
        verbose_name = _("solver")
        ordering = ["name"]


class Verdict(models.TextChoices):
    """What the marker says of an answer, held against the key."""

    RIGHT = "right", _("right")
    PARTLY = "partly", _("partly right")
    WRONG = "wrong", _("wrong")
    UNPARSED = "unparsed", _("no answer found")
    UNKEYED = "unkeyed", _("no key")


class Collection(Job, ProjectRow):
    """One order to a teacher: answer these questions, for at most so much money."""

    task_name: ClassVar[str] = "curator.tasks.run_collection"
    edit_right: ClassVar[Right] = Right.SPEND

    project = models.ForeignKey(Project, models.CASCADE, related_name="collections")
    teacher = models.ForeignKey(Teacher, models.CASCADE, related_name="collections")
    question_limit = models.PositiveIntegerField(_("most questions"), null=True, blank=True)
    asked = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        verbose_name = _("collection")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.teacher} #{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("collection", args=[self.pk])


class Probe(Job, ProjectRow):
    """One order to a solver: try the questions, so that their difficulty is known."""

    task_name: ClassVar[str] = "curator.tasks.run_probe"
    edit_right: ClassVar[Right] = Right.SPEND

    project = models.ForeignKey(Project, models.CASCADE, related_name="probes")
    solver = models.ForeignKey(Solver, models.CASCADE, related_name="probes")
    samples = models.PositiveSmallIntegerField(
        _("tries per question"), default=1, validators=[MinValueValidator(1)]
    )
    asked = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        verbose_name = _("probe")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.solver} #{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("probe", args=[self.pk])


class Answering(ProjectRow):
    """One reply of one model to one question: what a trace and an attempt have in common."""

    project_path: ClassVar[str] = "question__project"

    sample = models.PositiveSmallIntegerField(default=0)
    thinking = models.TextField(_("thinking"), blank=True)
    answer = models.TextField(_("answer"), blank=True)
    thinking_tokens = models.PositiveIntegerField(_("thinking tokens"), default=0)
    answer_tokens = models.PositiveIntegerField(default=0)
    tokens_counted_by = models.CharField(max_length=100, default="estimate")
    finish_reason = models.CharField(max_length=40, blank=True)
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict, default=Verdict.UNKEYED)
    verdict_rule = models.CharField(max_length=60, blank=True)
    cost_usd = models.DecimalField(_("cost (USD)"), max_digits=12, decimal_places=6, default=Decimal(0))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="%(class)s_verdict_known"),
            models.CheckConstraint(condition=Q(cost_usd__gte=0), name="%(class)s_cost_positive"),
        ]


class Trace(Answering):
    """One teacher's thinking and answer to one question."""

    question = models.ForeignKey(Question, models.CASCADE, related_name="traces")
    teacher = models.ForeignKey(Teacher, models.PROTECT, related_name="traces")
    collection = models.ForeignKey(Collection, models.SET_NULL, null=True, blank=True, related_name="traces")
    content_hash = models.CharField(max_length=HASH_LENGTH)  # of thinking and answer
    neutralised = models.BooleanField(default=False)

    class Meta(Answering.Meta):
        verbose_name = _("trace")
        ordering = ["pk"]
        constraints = [
            *Answering.Meta.constraints,
            models.UniqueConstraint(fields=["question", "teacher", "sample"], name="trace_sample_once"),
            models.UniqueConstraint(
                fields=["question", "teacher", "content_hash"], name="trace_content_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.teacher} → {self.question_id}"

    def get_absolute_url(self) -> str:
        return reverse("trace", args=[self.pk])


class Attempt(Answering):
    """One of a solver's tries at a question."""

    question = models.ForeignKey(Question, models.CASCADE, related_name="attempts")
    solver = models.ForeignKey(Solver, models.CASCADE, related_name="attempts")
    probe = models.ForeignKey(Probe, models.SET_NULL, null=True, blank=True, related_name="attempts")

    class Meta(Answering.Meta):
        verbose_name = _("attempt")
        ordering = ["pk"]
        constraints = [
            *Answering.Meta.constraints,
            models.UniqueConstraint(fields=["question", "solver", "sample"], name="attempt_sample_once"),
        ]

    def __str__(self) -> str:
        return f"{self.solver} → {self.question_id}"


class Benchmark(ProjectRow):
    """Held-out questions with keys; read like a pool and never trained on.

    It lies here and not with evaluation because a selection must refuse what it contains.
    """

    see_right: ClassVar[Right] = Right.SEE_RESULTS

    project = models.ForeignKey(Project, models.CASCADE, related_name="benchmarks")
    name = models.CharField(_("name"), max_length=200)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    file_name = models.CharField(max_length=255)
    content_hash = models.CharField(max_length=HASH_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("benchmark")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="benchmark_name_once")]
        triggers = [pgtrigger.ReadOnly(name="benchmark_content_frozen", fields=["project", "content_hash"])]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("benchmark", args=[self.pk])


class BenchmarkItem(ProjectRow):
    """One held-out question."""

    project_path: ClassVar[str] = "benchmark__project"

    benchmark = models.ForeignKey(Benchmark, models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=HASH_LENGTH)
    external_id = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    options = ArrayField(models.TextField(), default=list, blank=True)
    key = models.TextField()
    marks = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    language = models.CharField(max_length=8)
    domain = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["benchmark", "position"], name="item_position_once"),
            models.UniqueConstraint(fields=["benchmark", "content_hash"], name="item_once_in_benchmark"),
            models.CheckConstraint(condition=~Q(text="") & ~Q(key=""), name="item_has_text_and_key"),
        ]
        triggers = [pgtrigger.Protect(name="item_frozen", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return self.text[:80]


class Leak(ProjectRow):
    """A question of a pool that a benchmark contains, wholly or in part."""

    project_path: ClassVar[str] = "question__project"

    question = models.ForeignKey(Question, models.CASCADE, related_name="leaks")
    item = models.ForeignKey(BenchmarkItem, models.CASCADE, related_name="leaks")
    shared_text = models.TextField()
    overruled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["question", "item"], name="leak_once")]

    def __str__(self) -> str:
        return self.shared_text[:80]


class Selection(Job, ProjectRow):
    """One run of the criteria by a method with a seed."""

    task_name: ClassVar[str] = "curator.tasks.run_selection"

    project = models.ForeignKey(Project, models.CASCADE, related_name="selections")
    name = models.CharField(_("name"), max_length=200)
    method = models.JSONField(_("method"))  # as data, see curator.core.selection.Method
    method_name = models.CharField(max_length=100)
    size = models.PositiveIntegerField(_("size"), validators=[MinValueValidator(1)])
    seed = models.BigIntegerField(_("seed"), default=0)
    arm_of = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="arms")
    funnel = models.JSONField(default=list)  # [{"stage", "kept", "dropped"}]
    members_hash = models.CharField(max_length=HASH_LENGTH, blank=True)
    code_version = models.CharField(max_length=100, blank=True)
    shortfall = models.TextField(blank=True)  # a sentence, where fewer were left than were wanted

    class Meta(Job.Meta):
        verbose_name = _("selection")
        ordering = ["-created_at", "-pk"]
        constraints = [
            *Job.Meta.constraints,
            models.CheckConstraint(condition=Q(size__gte=1), name="selection_not_empty"),
            models.CheckConstraint(
                condition=~Q(state="succeeded") | ~Q(members_hash=""), name="selection_done_has_hash"
            ),
            models.CheckConstraint(condition=~Q(arm_of=F("id")), name="selection_not_its_own_arm"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("selection", args=[self.pk])


class Decision(ProjectRow):
    """Why one question is in a selection, or out of it."""

    project_path: ClassVar[str] = "selection__project"

    selection = models.ForeignKey(Selection, models.CASCADE, related_name="decisions")
    question = models.ForeignKey(Question, models.CASCADE, related_name="decisions")
    trace = models.ForeignKey(Trace, models.CASCADE, null=True, blank=True, related_name="decisions")
    position = models.PositiveIntegerField(null=True, blank=True)  # of a member, in the order drawn
    stage = models.CharField(max_length=40)
    reason = models.TextField()

    class Meta:
        ordering = [F("position").asc(nulls_last=True), "pk"]
        constraints = [
            models.UniqueConstraint(fields=["selection", "question"], name="decision_once"),
            models.UniqueConstraint(fields=["selection", "position"], name="decision_position_once"),
            models.CheckConstraint(
                condition=Q(position__isnull=True) | Q(trace__isnull=False), name="decision_member_has_trace"
            ),
        ]
        indexes = [models.Index(fields=["selection", "stage"])]

    def __str__(self) -> str:
        return self.reason[:80]


class Review(ProjectRow):
    """One reviewer's judgement of one trace."""

    class Judgement(models.TextChoices):
        ACCEPT = "accept", _("accept")
        REJECT = "reject", _("reject")

    project_path: ClassVar[str] = "trace__question__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    trace = models.ForeignKey(Trace, models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews")
    judgement = models.CharField(_("judgement"), max_length=6, choices=Judgement)
    note = models.TextField(_("note"), blank=True)
    is_scripted = models.BooleanField(default=False)  # a program stood in for the expert
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("review")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["trace", "reviewer"], name="review_once_per_reviewer"),
            models.CheckConstraint(
                condition=Q(judgement__in=["accept", "reject"]), name="review_judgement_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.get_judgement_display()}"


class Adjudication(ProjectRow):
    """The last word where reviewers of a trace disagree."""

    project_path: ClassVar[str] = "trace__question__project"

    trace = models.OneToOneField(Trace, models.CASCADE, related_name="adjudication")
    judgement = models.CharField(_("judgement"), max_length=6, choices=Review.Judgement)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(judgement__in=["accept", "reject"]), name="adjudication_known")
        ]

    def __str__(self) -> str:
        return self.get_judgement_display()


class Dataset(ProjectRow):
    """A frozen, immutable, content-addressed version of questions with their chosen traces."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="datasets")
    selection = models.ForeignKey(Selection, models.PROTECT, related_name="datasets")
    name = models.CharField(_("name"), max_length=200)
    content_hash = models.CharField(max_length=HASH_LENGTH)
    row_count = models.PositiveIntegerField(_("rows"))
    card = models.JSONField(default=dict)  # inputs by hash, method, seed, versions, reviews, licences
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("dataset")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="dataset_name_once"),
            models.UniqueConstraint(fields=["project", "content_hash"], name="dataset_content_once"),
            models.CheckConstraint(condition=Q(row_count__gte=1), name="dataset_not_empty"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="dataset_frozen",
                fields=["project", "selection", "name", "content_hash", "row_count", "card"],
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("dataset", args=[self.pk])


class DatasetRow(ProjectRow):
    """One question with its trace, copied, so that later edits of the pool change nothing here."""

    project_path: ClassVar[str] = "dataset__project"

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    question_hash = models.CharField(max_length=HASH_LENGTH)
    trace_hash = models.CharField(max_length=HASH_LENGTH)
    content: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "position"], name="dataset_row_position_once"),
            models.UniqueConstraint(fields=["dataset", "question_hash"], name="dataset_row_question_once"),
        ]
        triggers = [
            pgtrigger.Protect(name="dataset_row_frozen", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id}/{self.position}"
