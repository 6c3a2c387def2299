"""What a plan will cost, and what a limit still allows."""

from decimal import ROUND_UP, Decimal

PER_MILLION = Decimal(1_000_000)
CENT = Decimal("0.01")


def tokens_usd(*, tokens_in: int, tokens_out: int, price_in_usd: Decimal, price_out_usd: Decimal) -> Decimal:
    """Return the price of a call, in USD, at prices per million tokens."""
    return (price_in_usd * tokens_in + price_out_usd * tokens_out) / PER_MILLION


def gpu_usd(*, cards: int, hours: float, card_hour_usd: Decimal) -> Decimal:
    """Return the price of renting cards, in USD, rounded up to the cent."""
    return (card_hour_usd * cards * Decimal(str(hours))).quantize(CENT, rounding=ROUND_UP)


def fits(*, wanted_usd: Decimal, spent_usd: Decimal, limit_usd: Decimal | None) -> bool:
    """Tell whether a sum still fits under a limit; no limit allows all."""
    return limit_usd is None or spent_usd + wanted_usd <= limit_usd
