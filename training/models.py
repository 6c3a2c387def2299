"""From a dataset to a checkpoint: recipes, runs and the models that come of them."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.access import ProjectRow, Right
from common.jobs import Job
from common.models import Project
from curator.models import HASH_LENGTH, Dataset


class Recipe(ProjectRow):
    """Base model and hyper-parameters of a fine-tune, kept under a name; a run stores its own copy."""

    edit_right: ClassVar[Right] = Right.SPEND

    project = models.ForeignKey(Project, models.CASCADE, related_name="recipes")
    name = models.CharField(_("name"), max_length=100)
    config = models.JSONField()  # see training.core.recipe.Recipe
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("recipe")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="recipe_name_once")]

    def __str__(self) -> str:
        return self.name


class Run(Job, ProjectRow):
    """One fine-tune of a recipe on a dataset by a backend."""

    class Backend(models.TextChoices):
        LOCAL = "local", _("this machine")

    task_name: ClassVar[str] = "training.tasks.run_training"
    see_right: ClassVar[Right] = Right.SEE_RESULTS
    edit_right: ClassVar[Right] = Right.SPEND

    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="runs")
    name = models.CharField(_("name"), max_length=200)
    base = models.TextField(_("base model"))  # a folder, or a name that the machine can resolve
    recipe = models.JSONField(_("recipe"))  # the whole config as used
    recipe_name = models.CharField(max_length=100)
    backend = models.CharField(_("backend"), max_length=20, choices=Backend, default=Backend.LOCAL)
    folder = models.TextField(blank=True)
    steps = models.PositiveIntegerField(_("steps"), default=0)
    final_loss = models.FloatField(_("final loss"), null=True, blank=True)
    tokens = models.PositiveBigIntegerField(default=0)
    versions = models.JSONField(default=dict)

    class Meta(Job.Meta):
        verbose_name = _("run")
        ordering = ["-created_at", "-pk"]
        constraints = [
            *Job.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(state="succeeded") | Q(final_loss__isnull=False), name="run_done_has_loss"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("run", args=[self.pk])


class RunStep(ProjectRow):
    """One optimiser step of a run, as its program reported it."""

    project_path: ClassVar[str] = "run__project"
    see_right: ClassVar[Right] = Right.SEE_RESULTS

    run = models.ForeignKey(Run, models.CASCADE, related_name="reported_steps")
    step = models.PositiveIntegerField()
    loss = models.FloatField()
    learning_rate = models.FloatField()
    grad_norm = models.FloatField(null=True)
    tokens = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField()

    class Meta:
        ordering = ["step"]
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="run_step_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.step}"


class Model(ProjectRow):
    """Anything that can be evaluated."""

    class Kind(models.TextChoices):
        BASE = "base", _("base")
        CHECKPOINT = "checkpoint", _("checkpoint")
        REMOTE = "remote", _("remote endpoint")

    see_right: ClassVar[Right] = Right.SEE_RESULTS
    edit_right: ClassVar[Right] = Right.SPEND

    project = models.ForeignKey(Project, models.CASCADE, related_name="models")
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    location = models.TextField(_("location"))  # a folder, a resolvable name, or an address
    markup = models.CharField(max_length=40)  # see common.core.chat.MARKUPS
    run = models.OneToOneField(Run, models.CASCADE, null=True, blank=True, related_name="model")
    base = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="tuned")
    content_hash = models.CharField(max_length=HASH_LENGTH, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("model")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="model_name_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["base", "checkpoint", "remote"]), name="model_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind="checkpoint") | ~Q(content_hash=""), name="model_checkpoint_has_hash"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="model_identity_frozen", fields=["project", "kind", "location", "content_hash"]
            )
        ]

    def __str__(self) -> str:
        return self.name
