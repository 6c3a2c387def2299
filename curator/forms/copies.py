"""Searching for near copies."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from common.models import Project
from curator.models import CopyRuling, CopySearch, Embedder
from curator.services.copies import THRESHOLD


class CopySearchForm(forms.ModelForm):
    """How alike copies are, and whether meanings are compared too."""

    class Meta:
        model = CopySearch
        fields = ["threshold", "embedder"]
        labels = {"embedder": gettext_lazy("Compare meanings by")}
        help_texts = {
            "threshold": gettext_lazy(
                "The share of words, or of Chinese characters, that two questions have in common: from 0.5 to 1."
            ),
            "embedder": gettext_lazy("An embedding model that has seen the questions; none: by words alone."),
        }
        widgets = {"threshold": forms.NumberInput(attrs={"min": 0.5, "max": 1, "step": 0.01})}

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["threshold"].initial = THRESHOLD
        embedders = Embedder.objects.filter(project=project)
        if embedders.exists():
            self.fields["embedder"].queryset = embedders
        else:
            del self.fields["embedder"]


class RulingForm(forms.Form):
    """An expert's word about one question and its copies."""

    ruling = forms.ChoiceField(choices=CopyRuling.choices)
