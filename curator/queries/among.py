"""Rows by thousands of keys or hashes: one parameter for all of them, where `__in` has one for each."""

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, BooleanField, Field, Func, TextField, Value
from django.db.models.functions import Cast


class _IsOneOf(Func):
    template = "(%(expressions)s))"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def among_keys(field: str, keys: Iterable[int] | str) -> Func:
    """Return the condition that a field is one of some keys, or of an array as PostgreSQL writes it."""
    return _among(field, keys if isinstance(keys, str) else map(str, keys), BigIntegerField())


def among_hashes(field: str, hashes: Iterable[str]) -> Func:
    """Return the condition that a field is one of some hashes in hex digits."""
    return _among(field, hashes, TextField())


def _among(field: str, values: Iterable[str] | str, kind: "Field[str, str] | Field[int, int]") -> Func:
    written = values if isinstance(values, str) else "{" + ",".join(values) + "}"
    return _IsOneOf(field, Cast(Value(written), ArrayField(kind)))
