"""Queues: which traces wait for reviewers, for how many of them, and who holds which just now."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from common.models import Project
from curator.models.answers import Trace
from curator.models.selections import Selection

MOST_REVIEWERS = 10  # of one trace


class Queue(ProjectRow):
    """Traces that wait for reviewers."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="queues")
    selection = models.ForeignKey(
        Selection, models.CASCADE, null=True, blank=True, related_name="queues"
    )  # whose members it holds; null: what a filter found
    name = models.CharField(_("name"), max_length=100)
    filters = models.JSONField(default=dict, blank=True)  # by which its traces were found
    overlap = models.PositiveSmallIntegerField(
        _("reviewers per trace"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_REVIEWERS)],
    )
    target = models.PositiveIntegerField(_("traces to judge"), null=True, blank=True)  # null: all
    is_blind = models.BooleanField(_("names hidden"), default=True)  # of teachers and of other reviewers
    lease_minutes = models.PositiveSmallIntegerField(
        _("minutes until an idle reviewer's trace goes to others"),
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
    )
    is_open = models.BooleanField(default=True)
    # Kept with the queue, so that the next trace is found at once among a quarter of a million; without warm-up.
    total = models.PositiveIntegerField(default=0)  # traces
    done = models.PositiveIntegerField(default=0)  # traces that nobody is wanted for any more
    waiting = models.PositiveIntegerField(default=0)  # judgements that are still wanted
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("queue")
        ordering = ["-is_open", "-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="queue_name_once"),
            models.CheckConstraint(
                condition=Q(overlap__gte=1, overlap__lte=MOST_REVIEWERS), name="queue_overlap_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("queue", args=[self.pk])


class QueueItem(ProjectRow):
    """One trace in a queue."""

    project_path: ClassVar[str] = "queue__project"

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="items", db_index=False)
    trace = models.ForeignKey(Trace, models.CASCADE, related_name="queue_items")
    position = models.PositiveIntegerField()
    # How many more reviewers are to judge it; 0: it is done. A warm-up trace waits for everybody: it stays at 1.
    wanted = models.PositiveSmallIntegerField()
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # What a new reviewer is to find, on a warm-up trace: judgement and reasons; null on every other.
    known: "models.JSONField[dict[str, Any] | None, dict[str, Any] | None]" = models.JSONField(
        null=True, blank=True
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["queue", "trace"], name="queue_item_once"),
        ]
        indexes = [
            models.Index(fields=["queue", "position"], condition=Q(wanted__gt=0), name="queue_item_waits"),
            models.Index(
                fields=["queue", "assigned_to", "position"],
                condition=Q(assigned_to__isnull=False),
                name="queue_item_assigned",
            ),
            models.Index(
                fields=["queue", "position"], condition=Q(known__isnull=False), name="queue_item_warm_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.queue_id}/{self.position}"


class Lease(ProjectRow):
    """A trace of a queue in a reviewer's hands, until a moment that their work puts off."""

    project_path: ClassVar[str] = "item__queue__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    item = models.ForeignKey(QueueItem, models.CASCADE, related_name="leases")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    queue = models.ForeignKey(Queue, models.CASCADE, related_name="leases", db_index=False)  # the item's
    until = models.DateTimeField()
    taken_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "reviewer"], name="lease_once")]
        indexes = [models.Index(fields=["queue", "until"]), models.Index(fields=["reviewer", "queue"])]

    def __str__(self) -> str:
        return f"{self.reviewer_id} ← {self.item_id}"


class QueueMember(ProjectRow):
    """How far a reviewer has come in a queue."""

    project_path: ClassVar[str] = "queue__project"
    edit_right: ClassVar[Right] = Right.REVIEW

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="reviewers")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    last_position = models.IntegerField(default=-1)  # of the item that was taken last
    judged = models.PositiveIntegerField(default=0)  # without warm-up
    seen_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "reviewer"], name="queue_member_once")]

    def __str__(self) -> str:
        return f"{self.reviewer_id} in {self.queue_id}"
