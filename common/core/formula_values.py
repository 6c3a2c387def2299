"""The value of a formula: exact where it is rational, to sixty digits where it is not.

Letters are given values, the same ones for the same letter, so that two formulas are the same where they
agree at several points. Every step is bounded: what would grow beyond that has no value here.

Source: equality by evaluation at random points, Schwartz (1980), Journal of the ACM 27(4).
"""

import hashlib
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import mpmath

from common.core.formulas import Node

Number = Any  # a Fraction, or a real or complex number of sixty digits

_MOST_BITS = 32_000
_MOST_FACTORIAL = 3_000
_FARTHEST = 1_000_000  # what an exponential, a sine or a power of an irrational number is still taken of
_DIGITS = 60
_SAME = mpmath.mpf(10) ** -38
_NOTHING = mpmath.mpf(10) ** -45
POSITIVE, MIXED, WHOLE = range(3)
_thread = threading.local()


class NoValue(Exception):
    """The formula has no value at this point, or none that can be had at a bounded price."""


@dataclass(frozen=True)
class Trial:
    """How letters, "±" and degrees are to be read while a formula is evaluated."""

    number: int = 0
    kind: int = POSITIVE
    sign: int = 1
    calls_multiply: bool = False  # read "h(r+2)" as a product
    radians: bool = False  # read "90°" as π/2 outside functions too
    letters: Mapping[str, Fraction] = field(default_factory=lambda: MappingProxyType({}), hash=False)


def value_of(node: Node, trial: Trial) -> Number:
    """Return the value of a formula.

    Raises:
        NoValue: it has none, or it would be too large.
    """
    try:
        return _value(node, trial)
    except (ArithmeticError, ValueError, TypeError, mpmath.libmp.NoConvergence) as error:
        raise NoValue from error


def same_number(one: Number, other: Number) -> bool:
    """Tell whether two values agree, exactly for rational ones."""
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return one == other
    one, other = _inexact(one), _inexact(other)
    larger = max(abs(one), abs(other))
    return bool(larger < _NOTHING or abs(one - other) <= _SAME * larger)


def real(value: Number) -> Fraction | Any:
    """Return a value as a real number.

    Raises:
        NoValue: it is a complex one.
    """
    if isinstance(value, Fraction):
        return value
    value = _inexact(value)
    if isinstance(value, _context().mpc):
        if abs(value.imag) > _SAME * max(abs(value), 1):
            raise NoValue
        return value.real
    return value


def exact(value: Number) -> Fraction:
    """Return a real value as a fraction, rounded to sixty digits where it is not rational."""
    value = real(value)
    if isinstance(value, Fraction):
        return value
    if abs(value) > 10**60:
        raise NoValue
    return Fraction(str(value))


def _context() -> Any:
    """Return this thread's own arithmetic; mpmath's global one is not safe in threads."""
    if not hasattr(_thread, "context"):
        _thread.context = mpmath.MPContext()
        _thread.context.dps = _DIGITS
    return _thread.context


def _inexact(value: Number) -> Any:
    if not isinstance(value, Fraction):
        return value
    context = _context()
    return context.mpf(value.numerator) / value.denominator


def _bounded(value: Number) -> Number:
    """Return a value that is no larger than may be computed with."""
    if (
        isinstance(value, Fraction)
        and max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS
    ):
        raise NoValue
    return value


def _near(value: Number) -> Any:
    """Return an argument of a function that is not so far out that its digits are lost."""
    inexact = _inexact(value)
    if not abs(inexact) <= _FARTHEST:
        raise NoValue
    return inexact


def _value(node: Node, trial: Trial) -> Number:  # noqa: C901 - one case for each kind of node
    parts = node.parts
    match node.kind:
        case "number":
            return node.value
        case "symbol":
            return _letter(node.name, trial)
        case "add":
            return _sum([_value(part, trial) for part in parts])
        case "multiply":
            return _product([_value(part, trial) for part in parts])
        case "negative":
            return -_value(parts[0], trial)
        case "either":
            sign = trial.sign if node.name == "±" else -trial.sign
            return sign * _value(parts[0], trial)
        case "inverse":
            return _quotient(Fraction(1), _value(parts[0], trial))
        case "fraction":
            return _quotient(_value(parts[0], trial), _value(parts[1], trial))
        case "power":
            return _power(_value(parts[0], trial), _value(parts[1], trial))
        case "percent":
            return _quotient(_value(parts[0], trial), Fraction(1000 if node.name == "‰" else 100))
        case "degrees":
            inside = _value(parts[0], trial)
            return _product([inside, _context().pi, Fraction(1, 180)]) if trial.radians else inside
        case "with unit":
            return _value(parts[0], trial)
        case "factorial":
            return Fraction(math.factorial(_whole(_value(parts[0], trial), _MOST_FACTORIAL)))
        case "binom":
            over, under = (_whole(_value(part, trial), _MOST_FACTORIAL) for part in parts)
            return Fraction(math.comb(over, under))
        case "based":
            return _of_base(node)
        case "call":
            return _called(node, trial)
        case "function":
            inner = Trial(trial.number, trial.kind, trial.sign, trial.calls_multiply, True, trial.letters)
            return _function(node.name, [_value(part, inner) for part in parts])
    raise NoValue


def _sum(values: list[Number]) -> Number:
    if all(isinstance(value, Fraction) for value in values):
        return _bounded(sum(values, Fraction(0)))
    return sum((_inexact(value) for value in values), _context().mpf(0))


def _product(values: list[Number]) -> Number:
    if all(isinstance(value, Fraction) for value in values):
        product: Number = Fraction(1)
        for value in values:
            product = _bounded(product * value)
        return product
    product = _context().mpf(1)
    for value in values:
        product *= _inexact(value)
    return product


def _quotient(over: Number, under: Number) -> Number:
    if under == 0:
        raise NoValue
    if isinstance(over, Fraction) and isinstance(under, Fraction):
        return _bounded(over / under)
    return _inexact(over) / _inexact(under)


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        if base == 0:
            return _of_nothing(exponent)
        if exponent.denominator == 1:
            bits = max(base.numerator.bit_length(), base.denominator.bit_length())
            if abs(exponent) * bits > _MOST_BITS:
                raise NoValue
            return base ** int(exponent)
        if base < 0 and exponent.denominator % 2:
            odd = exponent.numerator % 2
            return (-1 if odd else 1) * _power(-base, exponent)
    too_large = abs(_inexact(base)) > 10**_DIGITS or abs(_inexact(exponent)) > _FARTHEST
    has_root = isinstance(exponent, Fraction) and abs(exponent) <= 1  # which a large base may still have
    if too_large and not has_root:
        raise NoValue
    return _context().power(_inexact(base), _inexact(exponent))


def _of_nothing(exponent: Fraction) -> Fraction:
    if exponent <= 0:
        raise NoValue
    return Fraction(0)


def _whole(value: Number, most: int) -> int:
    if not isinstance(value, Fraction) or value.denominator != 1 or not 0 <= value <= most:
        raise NoValue
    return int(value)


def _of_base(node: Node) -> Fraction:
    digits = node.parts[0].name
    if not node.name.isdigit() or not 2 <= int(node.name) <= 36 or not digits.isdigit():
        raise NoValue
    return Fraction(int(digits, int(node.name)))


def _letter(name: str, trial: Trial) -> Number:
    context = _context()
    if name == "π":
        return +context.pi
    if name == "e":
        return +context.e
    if name == "i":
        return context.mpc(0, 1)
    if name in trial.letters:
        return trial.letters[name]
    seed = _seed(name, trial.number)
    if trial.kind == WHOLE:
        return Fraction(trial.number + seed % 3)
    value = Fraction(seed % 997 + 101, 389)
    return -value if trial.kind == MIXED and seed % 3 else value


def _seed(name: str, number: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{name} {number}".encode(), digest_size=4).digest(), "big")


def _called(node: Node, trial: Trial) -> Number:
    """Return the value of "f(x)": that of a smooth function of no symmetry, or a product."""
    argument = _value(node.parts[0], trial)
    if trial.calls_multiply:
        return _product([_letter(node.name, trial), argument])
    seed, near = _seed(node.name, 0), _near(argument)
    return _context().cos(near * (seed % 7 + 2) / 3 + seed % 5) + near**2 * (seed % 11 + 1) / 13 + near / 7


def _function(name: str, values: list[Number]) -> Number:
    if name == "abs":
        return abs(values[0])
    if name in ("max", "min", "gcd", "floor", "ceil"):
        return _of_rationals(name, [exact(value) for value in values])
    if name == "log" and len(values) == 2:
        return _quotient(_function("ln", values[:1]), _function("ln", values[1:]))
    context = _context()
    if name in ("log", "ln", "lg"):
        if values[0] == 0:
            raise NoValue
        logarithm = context.log(_inexact(values[0]))
        return logarithm / context.log(10) if name in ("lg", "log") else logarithm
    near = _near(values[0])
    if name in ("sec", "csc", "cot"):
        return _quotient(
            Fraction(1), getattr(context, {"sec": "cos", "csc": "sin", "cot": "tan"}[name])(near)
        )
    if name not in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp"):
        raise NoValue
    return getattr(context, name)(near)


def _of_rationals(name: str, values: list[Fraction]) -> Fraction:
    if name in ("max", "min"):
        return max(values) if name == "max" else min(values)
    if name == "gcd":
        return Fraction(math.gcd(*(_whole(value, 10**60) for value in values)))
    return Fraction(math.floor(values[0]) if name == "floor" else math.ceil(values[0]))
