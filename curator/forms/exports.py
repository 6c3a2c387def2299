"""What an export is for, and in which format."""

from django import forms
from django.utils.translation import gettext_lazy as _

from curator.core.licences import Purpose

PURPOSES = [
    (Purpose.OWN.value, _("for our own use: to train our models")),
    (Purpose.SHARE.value, _("to give it to others, or publish it")),
    (Purpose.SELL.value, _("to sell it")),
]


class ExportForm(forms.Form):
    """A purpose; own use where none is named."""

    purpose = forms.ChoiceField(
        label=_("What for"), choices=PURPOSES, required=False, widget=forms.RadioSelect, initial=Purpose.OWN
    )

    def clean_purpose(self) -> Purpose:
        """Return the purpose that was named, else own use."""
        return Purpose(self.cleaned_data["purpose"] or Purpose.OWN)


FORMAT_WORDS = [
    ("jsonl", _("everything, one row a line; its SHA-256 is the hash")),
    ("messages", _("chat messages with a field for the thinking")),
    ("s1", _("columns of s1K, with its training text")),
    ("trl", _("prompt and completion for TRL")),
    ("openai", _("fine-tuning file for OpenAI")),
    ("together", _("fine-tuning file for Together")),
    ("siliconflow", _("fine-tuning file for SiliconFlow")),
    ("csv", _("spreadsheet")),
    ("xlsx", _("workbook for people")),
    ("parquet", _("for programs")),
    ("hf", _("folder for Hugging Face's datasets, with the card, zipped")),
]
