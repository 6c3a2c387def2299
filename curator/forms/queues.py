"""Queues: what goes in, how they are worked off, and who gets what."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from common.access import Role
from common.models import Project, User
from curator.models import Domain, Pool, Queue, Selection, Teacher, Verdict
from curator.models.queues import MOST_REVIEWERS
from curator.services.queues import MOST_WARM_UP, QueueSettings

MOST_ASSIGNED = 5_000


class QueueSettingsForm(forms.Form):
    """How a queue is worked off."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    overlap = forms.IntegerField(
        label=gettext_lazy("Reviewers per trace"),
        min_value=1,
        max_value=MOST_REVIEWERS,
        initial=1,
        help_text=gettext_lazy("Two or more show how far reviewers agree."),
    )
    target = forms.IntegerField(
        label=gettext_lazy("Traces to judge"),
        required=False,
        min_value=1,
        max_value=10_000_000,
        help_text=gettext_lazy("Empty: all of them."),
    )
    lease_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes until an idle reviewer's trace goes to others"),
        min_value=1,
        max_value=240,
        initial=15,
    )
    is_blind = forms.BooleanField(
        label=gettext_lazy("Hide which teacher wrote what until it is judged"), required=False, initial=True
    )

    def settings(self) -> QueueSettings:
        """Return how the queue is worked off."""
        given = self.cleaned_data
        return QueueSettings(given["overlap"], given["target"], given["is_blind"], given["lease_minutes"])

    @staticmethod
    def initial_of(queue: Queue) -> dict[str, Any]:
        """Return a queue's own settings."""
        return {
            name: getattr(queue, name) for name in ("name", "overlap", "target", "lease_minutes", "is_blind")
        }


class QueueForm(QueueSettingsForm):
    """A new queue: a selection's members, or what a filter finds."""

    selection = forms.ModelChoiceField(
        Selection.objects.none(),
        required=False,
        label=gettext_lazy("Traces"),
        empty_label=gettext_lazy("all traces of the project"),
        help_text=gettext_lazy(
            "The members of a selection, or any traces; the boxes below narrow them down."
        ),
    )
    verdict = forms.MultipleChoiceField(
        label=gettext_lazy("Answers"),
        required=False,
        choices=Verdict.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    teacher = forms.ModelMultipleChoiceField(
        Teacher.objects.none(), required=False, label=gettext_lazy("Teachers")
    )
    pool = forms.ModelMultipleChoiceField(Pool.objects.none(), required=False, label=gettext_lazy("Pools"))
    domain = forms.ModelMultipleChoiceField(
        Domain.objects.none(), required=False, label=gettext_lazy("Domains")
    )
    field_order = ("name", "selection", "verdict", "teacher", "pool", "domain", "overlap", "target")

    def __init__(self, *args: Any, project: Project, **fields: Any) -> None:
        super().__init__(*args, **fields)
        drawn = Selection.objects.filter(project=project, state="succeeded", arm_of=None)
        own = {"selection": drawn}
        own |= {
            name: model.objects.filter(project=project)
            for name, model in (("teacher", Teacher), ("pool", Pool), ("domain", Domain))
        }
        for name, rows in own.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def filters(self) -> dict[str, list[Any]]:
        """Return the filters that are set, as the queue keeps them."""
        given = self.cleaned_data
        keys = {name: [row.pk for row in given[name]] for name in ("teacher", "pool", "domain")}
        return {name: values for name, values in {"verdict": given["verdict"], **keys}.items() if values}


class AssignForm(forms.Form):
    """So many traces for one reviewer."""

    reviewer = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("Reviewer"))
    count = forms.IntegerField(
        label=gettext_lazy("Traces"), min_value=0, max_value=MOST_ASSIGNED, initial=50,
        help_text=gettext_lazy("0 gives what they have not judged back to all."),
    )  # fmt: skip

    def __init__(self, *args: Any, project: Project, **fields: Any) -> None:
        super().__init__(*args, **fields)
        reviewers = User.objects.filter(membership__project=project).exclude(membership__role=Role.VIEWER)
        self.fields["reviewer"].queryset = reviewers.distinct()  # type: ignore[attr-defined]


class WarmUpForm(forms.Form):
    """How many traces every reviewer begins with."""

    count = forms.IntegerField(
        label=gettext_lazy("Warm-up traces"),
        min_value=0,
        max_value=MOST_WARM_UP,
        help_text=gettext_lazy(
            "Taken from those on which somebody has had the last word; 0 takes the warm-up away."
        ),
    )
