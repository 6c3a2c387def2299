"""Held-out questions."""

from django import forms
from django.utils.translation import gettext_lazy

from curator.forms.pools import UploadForm


class BenchmarkForm(UploadForm):
    """Held-out questions."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    licence = forms.CharField(label=gettext_lazy("Licence"), max_length=200, required=False)
