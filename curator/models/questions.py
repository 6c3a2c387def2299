"""Questions of a pool, and what experts say of them."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow
from common.models import Project
from curator.models.pools import Import, Pool
from curator.models.taxonomy import HASH_LENGTH, Domain

RATINGS = 5  # an expert rates a difficulty from 1 to this


class Standing(models.TextChoices):
    """An expert's word about a question, which outranks every criterion."""

    OPEN = "open", _("open")
    PINNED = "pinned", _("pinned")
    BANNED = "banned", _("banned")


class DomainSource(models.TextChoices):
    """Who put a question into its domain; an expert's word outranks every machine's."""

    FILE = "file", _("the file")
    RULES = "rules", _("a rule")
    ASSISTANT = "assistant", _("a model")
    NEAREST = "nearest", _("its nearest neighbours")
    EXPERT = "expert", _("an expert")


class CopyRuling(models.TextChoices):
    """An expert's word about near copies, which a new search keeps to."""

    OPEN = "open", _("open")
    KEEPER = "keeper", _("the one to keep")
    APART = "apart", _("no copy")


class Question(ProjectRow):
    """A question of a pool; its identity is the hash of its normalised content."""

    # Neither has an index of its own: it is the first column of one below, and an import pays for each.
    project = models.ForeignKey(Project, models.CASCADE, related_name="questions", db_index=False)
    pool = models.ForeignKey(Pool, models.CASCADE, related_name="questions", db_index=False)
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
    domain_source = models.CharField(max_length=9, choices=DomainSource, blank=True)
    domain_confidence = models.FloatField(null=True, blank=True)  # from 0 to 1, where a machine chose
    rating = models.PositiveSmallIntegerField(_("difficulty, as an expert rates it"), null=True, blank=True)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True, verbose_name=_("tags"))
    copy_ruling = models.CharField(max_length=6, choices=CopyRuling, default=CopyRuling.OPEN)
    # The quality patterns that its text shows; null where it was not read since they last changed.
    flaws = ArrayField(models.CharField(max_length=100), null=True, blank=True)
    standing = models.CharField(_("standing"), max_length=6, choices=Standing, default=Standing.OPEN)
    key_disputed = models.BooleanField(default=False, db_default=False)  # files give it different keys
    # What its own row said, field by field, where a row that repeats it has given something else.
    own_row = models.JSONField(null=True, blank=True)
    neutralised = models.BooleanField(default=False)  # markup in the text was made harmless
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        verbose_name = _("question")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "content_hash"], name="question_once_in_project"),
            models.CheckConstraint(condition=~Q(text=""), name="question_has_text"),
            models.CheckConstraint(condition=Q(standing__in=Standing.values), name="question_standing_known"),
            models.CheckConstraint(
                condition=Q(copy_ruling__in=CopyRuling.values), name="question_copy_ruling_known"
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=RATINGS),
                name="question_rating_in_range",
            ),
            models.CheckConstraint(
                condition=Q(domain_confidence__isnull=True)
                | Q(domain_confidence__gte=0, domain_confidence__lte=1),
                name="question_confidence_is_share",
            ),
            models.CheckConstraint(
                condition=Q(marks__isnull=True) | Q(marks__gte=0), name="question_marks_positive"
            ),
        ]
        indexes = [
            models.Index(fields=["pool", "id"]),
            models.Index(fields=["project", "domain", "id"]),
            models.Index(fields=["project", "external_id"]),
            GinIndex(fields=["tags"], name="question_tags"),
        ]

    def __str__(self) -> str:
        return self.text[:80]

    def get_absolute_url(self) -> str:
        return reverse("question", args=[self.pk])


class QuestionEdit(ProjectRow):
    """What a person changed of a question: one field, before and after."""

    project_path: ClassVar[str] = "question__project"

    question = models.ForeignKey(Question, models.CASCADE, related_name="edits")
    field = models.CharField(max_length=20)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now_add=True)
    overwritten = models.JSONField(null=True)  # of a domain: its `source` and `confidence` before

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.question_id}: {self.field}"


class QuestionWords(ProjectRow):
    """A question's words for full-text search; written soon after the question, dropped when its text changes."""

    project_path: ClassVar[str] = "question__project"

    question = models.OneToOneField(Question, models.CASCADE, primary_key=True, related_name="words")
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="question_words")]

    def __str__(self) -> str:
        return str(self.question_id)
