"""Choices that several forms share."""

from django.utils.translation import gettext_lazy

LANGUAGES = [("en", gettext_lazy("English")), ("zh", gettext_lazy("Chinese"))]


ANY = ("", gettext_lazy("any"))
