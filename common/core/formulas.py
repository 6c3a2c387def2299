"""Read a formula, in TeX or plain, into a tree: never evaluated as a program, bounded in size and depth.

A formula that this grammar does not know is None, not a guess: it is compared as text then.
"""

from dataclasses import dataclass
from fractions import Fraction

from common.core.formula_tokens import LONGEST, NotAFormula, Token, tokens_of

DEEPEST = 40  # brackets, roots and fractions inside one another


@dataclass(frozen=True, slots=True)
class Node:
    """One part of a formula; `kind` says what its parts mean."""

    kind: str
    parts: tuple["Node", ...] = ()
    name: str = ""
    value: Fraction | None = None
    places: int | None = None  # decimals that a number was written with, None for a whole one


def formula(text: str) -> Node | None:
    """Return the tree of a formula: always a `list` of its items at the top; None where it is none."""
    if len(text) > LONGEST:
        return None
    try:
        tokens = tokens_of(text)
        return _Reader(tokens).statement() if tokens else None
    except NotAFormula:
        return None


_CLOSING = {"(": (")", "]"), "[": ("]", ")"), "{": ("}",), "\\{": ("\\}",)}
_RELATIONS = {"=", "<", ">", "<=", ">=", "!=", "≈", "∈"}
_STOPS = {")", "]", "}", "\\}", ",", "\\\\", "&", "|", "⌋", "⌉"} | _RELATIONS | {"∪", "∩", "∖", ":"}


class _Reader:
    """A recursive descent over the tokens of one formula."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0
        self.bars = 0

    def statement(self) -> Node:
        items = self._items(())
        if self.place < len(self.tokens) or not items:
            raise NotAFormula
        return Node("list", tuple(items))

    def _peek(self, ahead: int = 0) -> Token:
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else Token("end of text", "")

    def _next(self) -> Token:
        token = self._peek()
        if token.kind == "end of text":
            raise NotAFormula
        self.place += 1
        return token

    def _is(self, *signs: str) -> bool:
        token = self._peek()
        return token.kind == "sign" and token.text in signs

    def _skip(self, *signs: str) -> None:
        if not self._is(*signs):
            raise NotAFormula
        self.place += 1

    def _items(self, closing: tuple[str, ...]) -> list[Node]:
        items: list[Node] = []
        while True:
            while self._is(","):
                self.place += 1
            if self._peek().kind in ("end of text", "end") or self._is(*closing, "\\\\", "&"):
                return items
            items.append(self._chain())
            if not self._is(",", *closing, "\\\\", "&") and self._peek().kind not in ("end of text", "end"):
                raise NotAFormula

    def _chain(self) -> Node:
        """Read "a < b = c": its parts, and the relations between them in `name`."""
        parts, relations = [self._union()], []
        while self._is(*_RELATIONS):
            relations.append(self._next().text)
            parts.append(self._union())
        return Node("chain", tuple(parts), " ".join(relations)) if relations else parts[0]

    def _union(self) -> Node:
        left = self._ratio()
        while self._is("∪", "∩", "∖"):
            sign = self._next().text
            left = Node(sign, (left, self._ratio()))
        return left

    def _ratio(self) -> Node:
        parts = [self._sum()]
        while self._is(":"):
            self.place += 1
            parts.append(self._sum())
        return Node("ratio", tuple(parts)) if len(parts) > 1 else parts[0]

    def _sum(self) -> Node:
        parts = [self._signed()]
        while self._is("+", "-", "±", "∓"):
            sign = self._next().text
            parts.append(_signed_as(sign, self._product()))
        return Node("add", tuple(parts)) if len(parts) > 1 else parts[0]

    def _signed(self) -> Node:
        if self._is("+", "-", "±", "∓"):
            sign = self._next().text
            return _signed_as(sign, self._signed() if self._is("+", "-") else self._product())
        return self._product()

    def _product(self) -> Node:
        parts = [self._factor()]
        while True:
            if self._is("*"):
                self.place += 1
                parts.append(self._signed_factor())
            elif self._is("/"):
                self.place += 1
                parts.append(Node("inverse", (self._signed_factor(),)))
            elif self._goes_on():
                parts.append(self._beside(parts[-1]))
            else:
                return _product_of(parts) if len(parts) > 1 else parts[0]

    def _signed_factor(self) -> Node:
        if self._is("-"):
            self.place += 1
            return _signed_as("-", self._factor())
        return self._factor()

    def _factor(self) -> Node:
        """Read a power, or the sum that "5 1/2" and "5\\frac12" mean: with no sign between its two parts."""
        whole = self._power()
        is_bare = self.tokens[self.place - 1].kind == "number"  # "(5)" and "{5}" end with a bracket
        if not is_bare or whole.kind != "number" or whole.places is not None or not self._goes_on():
            return whole
        place = self.place
        part = self._beside(whole)
        if _is_plain_fraction(part):
            return Node("add", (whole, part))
        self.place = place
        return whole

    def _goes_on(self) -> bool:
        """Tell whether a factor follows that no sign joins."""
        token = self._peek()
        if token.kind in ("number", "letter", "function", "binary", "begin", "over", "unit"):
            return True
        return (token.kind == "sign" and token.text in ("(", "[", "{", "\\{", "⌊", "⌈", "∞", "∅")) or (
            self._is("|") and not self.bars
        )

    def _beside(self, before: Node) -> Node:
        """Read a factor that stands beside another: a number only as "2.24 10^7" and "5 1/2"."""
        token = self._peek()
        if token.kind == "number":
            ten = token.text == "10" and self._peek(1) == Token("sign", "^", self._peek(1).after_blank)
            mixed = token.after_blank and before.kind == "number" and before.places is None
            mixed = mixed and self._peek(1).text == "/" and self._peek(2).kind == "number"
            if not (ten or mixed):
                raise NotAFormula
            if mixed:
                over = self._power()
                self._skip("/")
                return Node("fraction", (over, self._power()))
        if token.kind == "unit":
            self.place += 1
            return Node("unit", name=token.text)
        return self._power()

    def _power(self) -> Node:
        base = self._base()
        while True:
            if self._is("^"):
                self.place += 1
                if self._is("°") or (self._is("{") and self._peek(1).text == "°"):
                    self._exponent()
                    base = Node("degrees", (base,))
                    continue
                while self._is("'"):
                    self.place += 1
                exponent = self._exponent()
                base = Node("power", (base, exponent))
            elif self._is("!"):
                self.place += 1
                base = Node("factorial", (base,))
            elif self._is("%", "‰"):
                base = Node("percent", (base,), self._next().text)
            elif self._is("°"):
                self.place += 1
                if self._peek().kind == "letter" and self._peek().text in "CF" and not self._goes_on_after():
                    self.place += 1
                base = Node("degrees", (base,))
            elif self._is("_"):
                base = self._subscripted(base)
            elif self._is("'"):
                self.place += 1
                base = Node("symbol", name=f"{base.name}'") if base.kind == "symbol" else base
            else:
                return base

    def _goes_on_after(self) -> bool:
        return self._peek(1).kind != "end of text"

    def _exponent(self) -> Node:
        if self._is("-", "+"):
            sign = self._next().text
            return _signed_as(sign, self._base())
        if self._is("°"):
            self.place += 1
            return Node("number", value=Fraction(1))
        base = self._base()
        if self._is("^") and not self._degrees_follow():
            self.place += 1
            return Node("power", (base, self._exponent()))  # 2^3^2 is 2^9
        return base

    def _degrees_follow(self) -> bool:
        return "°" in (self._peek(1).text, self._peek(2).text)

    def _subscripted(self, base: Node) -> Node:
        self.place += 1
        start = self.place
        self._base()
        name = "".join(token.text for token in self.tokens[start : self.place] if token.text not in "{}")
        if base.kind == "number":
            return Node("based", (base,), name)
        if base.kind == "symbol":
            return Node("symbol", name=f"{base.name}_{name}")
        raise NotAFormula

    def _base(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotAFormula
        try:
            return self._base_of(self._next())
        finally:
            self.depth -= 1

    def _base_of(self, token: Token) -> Node:
        match token.kind:
            case "number":
                return _number(token.text)
            case "letter":
                return self._letter(token.text)
            case "function":
                return self._function(token.text)
            case "binary":
                over, under = self._argument(), self._argument()
                if token.text == "binom":
                    return Node("binom", (over, under))
                return Node("fraction", (over, under))
            case "begin":
                return self._matrix(token.text)
            case "over":
                named = self._argument()
                return Node("symbol", name=f"over {_letters_in(named)}")
            case "sign":
                return self._bracketed(token.text)
        raise NotAFormula

    def _letter(self, name: str) -> Node:
        called = name in "fghFGH" and self._is("(") and not self._peek().after_blank
        if not called:
            return Node("symbol", name=name)
        self.place += 1
        arguments = self._items((")",))
        self._skip(")")
        if len(arguments) != 1:
            raise NotAFormula
        return Node("call", tuple(arguments), name)

    def _argument(self) -> Node:
        """Read what TeX gives a command: a braced group, or one character."""
        if self._is("{"):
            return self._base()
        token = self._peek()
        if token.kind == "number" and len(token.text) > 1:
            first, rest = token.text[0], token.text[1:]
            self.tokens[self.place : self.place + 1] = [Token("number", first), Token("number", rest)]
        return self._base()

    def _function(self, name: str) -> Node:
        if name == "sqrt":
            return self._root()
        base: tuple[Node, ...] = ()
        power = None
        if name == "log" and self._is("_"):
            self.place += 1
            base = (self._argument(),)
        if self._is("^"):
            self.place += 1
            power = self._exponent()
        argument = self._function_argument(name)
        if power is not None and power.value == -1:
            name, power = f"a{name}", None
        call = Node("function", (*argument, *base), name)
        return Node("power", (call, power)) if power is not None else call

    def _function_argument(self, name: str) -> tuple[Node, ...]:
        if self._is("(", "{", "["):
            closing = _CLOSING[self._next().text]
            items = self._items(closing)
            self._skip(*closing)
            if not items or (len(items) > 1 and name not in ("max", "min", "gcd")):
                raise NotAFormula
            return tuple(items)
        parts = [self._signed_factor()]
        while self._goes_on() and self._peek().kind in ("letter", "number", "binary") and name != "sqrt":
            parts.append(self._beside(parts[-1]))
        return (_product_of(parts) if len(parts) > 1 else parts[0],)

    def _root(self) -> Node:
        degree = Node("number", value=Fraction(2))
        if self._is("["):
            self.place += 1
            degree = self._sum()
            self._skip("]")
        inside = self._base()
        return Node("power", (inside, Node("fraction", (Node("number", value=Fraction(1)), degree))), "root")

    def _bracketed(self, sign: str) -> Node:
        if sign in ("|", "⌊", "⌈"):
            closing = {"|": "|", "⌊": "⌋", "⌈": "⌉"}[sign]
            self.bars += sign == "|"
            inside = self._sum()
            self.bars -= sign == "|"
            self._skip(closing)
            return Node("function", (inside,), {"|": "abs", "⌊": "floor", "⌈": "ceil"}[sign])
        if sign == "∞":
            return Node("infinity")
        if sign == "∅":
            return Node("set")
        if sign not in _CLOSING:
            raise NotAFormula
        bars, self.bars = self.bars, 0
        items = self._items(_CLOSING[sign])
        closing = self._next().text
        self.bars = bars
        return _group(sign, closing, items)

    def _matrix(self, name: str) -> Node:
        if name not in ("pmatrix", "bmatrix", "matrix", "array", "vmatrix", "smallmatrix", "Bmatrix"):
            raise NotAFormula
        rows: list[Node] = []
        cells: list[Node] = []
        while True:
            items = self._items(())
            if len(items) > 1:
                raise NotAFormula
            cells += items
            if self._peek().kind == "end":
                break
            if self._next().text == "\\\\":
                rows, cells = [*rows, Node("row", tuple(cells))], []
        self.place += 1
        rows += [Node("row", tuple(cells))] if cells else []
        return Node("matrix", tuple(rows), "det" if name == "vmatrix" else "")


def _group(opening: str, closing: str, items: list[Node]) -> Node:
    if opening == "\\{":
        return Node("set", tuple(items))
    if opening == "{":
        return items[0] if len(items) == 1 else Node("list", tuple(items))
    if len(items) == 1 and (opening, closing) == ("(", ")"):
        return items[0]
    if len(items) == 1 and items[0].kind == "matrix":
        return items[0]
    if not items:
        raise NotAFormula
    return Node("tuple", tuple(items), opening + closing)


def _number(text: str) -> Node:
    digits, _mark, ten = text.replace("E", "e").partition("e")
    digits = digits.replace(",", "")
    places = len(digits.partition(".")[2]) if "." in digits else None
    value = Fraction(digits.rstrip(".") or "0")
    if ten:
        exponent = int(ten)
        if abs(exponent) > 400:
            raise NotAFormula
        value *= Fraction(10) ** exponent
        places = None if places is None else max(places - exponent, 0)
    return Node("number", value=value, places=places, name=digits)


def _signed_as(sign: str, node: Node) -> Node:
    if sign == "+":
        return node
    if sign != "-":
        return Node("either", (node,), sign)
    if node.kind == "number" and node.value is not None:
        return Node("number", value=-node.value, places=node.places)
    return Node("negative", (node,))


def _product_of(parts: list[Node]) -> Node:
    """Return a product, with the unit that stands in it set apart."""
    kept = tuple(part for part in parts if part.kind != "unit")
    units = tuple(part for part in parts if part.kind == "unit")
    inner = Node("multiply", kept) if len(kept) > 1 else (kept[0] if kept else Node("unit"))
    return Node("with unit", (inner,), units[0].name) if units else inner


def _is_plain_fraction(node: Node) -> bool:
    return node.kind == "fraction" and all(
        part.kind == "number" and part.places is None for part in node.parts
    )


def _letters_in(node: Node) -> str:
    return node.name + "".join(_letters_in(part) for part in node.parts)
