"""What an order will cost, before it is given."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Expression, FloatField, QuerySet, Sum, Value, When
from django.db.models.functions import Length

from common.core.money import tokens_usd
from curator.models import Endpoint


@dataclass(frozen=True)
class Estimate:
    """What an order will ask and cost, and how that was computed."""

    questions: int
    tokens: int
    usd: Decimal
    basis: str


def about_tokens(rows: "QuerySet[Any]", language: str, *texts: str) -> tuple[int, int]:
    """Return how many rows there are, and about how many tokens their texts have, without reading them.

    `language` and `texts` name fields. Four Latin characters, or one and a half Chinese ones, make a token.
    """
    per_token = Case(When(**{language: "zh"}, then=1.5), default=4.0, output_field=FloatField())
    lengths: Expression | Value = Value(0.0, output_field=FloatField())
    for text in texts:
        lengths = lengths + Length(text, output_field=FloatField())
    sums = rows.order_by().aggregate(
        rows=Count("pk"), tokens=Sum(lengths / per_token, output_field=FloatField())
    )
    return sums["rows"], round(sums["tokens"] or 0)


def estimate_of(
    endpoint: Endpoint, *, questions: int, tokens_in: int, tokens_out: int, basis: str
) -> Estimate:
    """Return an estimate from the tokens of all questions together."""
    usd = tokens_usd(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        price_in_usd=endpoint.price_in_usd,
        price_out_usd=endpoint.price_out_usd,
    )
    return Estimate(questions, tokens_in + tokens_out, usd, basis)
