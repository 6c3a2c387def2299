"""The demo's own field: keeping a ledger, counting to a deadline, and setting a clock.

A question gives a start and one to eight numbered entries. Its thinking is one line an entry: the entry is
copied first and then worked out (`① deposit 7: 49+7=56`), because a small model finds its place in the
question by copying, and only then knows whether to add or to take away.
"""

import random
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

DOMAINS: Final = ("accounting", "law", "clock")
LANGUAGES: Final = ("en", "zh")
LONGEST: Final = 8
MARKS: Final = "①②③④⑤⑥⑦⑧"
SHARE_OF_MORE: Final = 0.55
WEEKDAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}
# As real pools are: many easy questions, few long ones. 0.28 of one step, then 0.6 times as many a step.
POOL_STEP_WEIGHTS: Final[Mapping[int, float]] = {
    1: 0.28,
    **{steps: 0.72 * 0.6 ** (steps - 2) * 0.4 / (1 - 0.6**7) for steps in range(2, LONGEST + 1)},
}


class UnreadableQuestion(ValueError):
    """The text is no question of this field."""


class FieldExhausted(ValueError):
    """The field has fewer distinct questions of a kind than were asked for."""


@dataclass(frozen=True)
class FieldQuestion:
    """A question, how it is worked out, and its answer; `steps` counts its entries."""

    text: str
    domain: str
    language: str
    steps: int
    thinking: str
    answer: str


@dataclass(frozen=True)
class Wording:
    """How one domain speaks in one language.

    `more` and `less` are the verbs that add and take away; `{start}` stands in each opening.
    """

    openings: tuple[str, ...]
    more: tuple[str, ...]
    less: tuple[str, ...]
    unit: str
    asks: tuple[str, ...]
    joints: tuple[str, ...]
    gap: str
    stop: str
    colon: str

    def entry(self, position: int, change: int, verb: str) -> str:
        """Return the entry at a position (from 0) as the question and the thinking both write it."""
        return f"{MARKS[position]}{self.gap}{verb}{self.gap}{abs(change)}{self.unit}"


@dataclass(frozen=True)
class Counting:
    """What a domain counts: starts and values as whole numbers, and how they are written.

    `least` and `most` bound every value on the way; `cycle` is 0, or the length after which values repeat.
    """

    starts: Sequence[int]
    amounts: tuple[int, ...]
    least: int
    most: int
    cycle: int
    write: Callable[[int, str], str]
    read: Callable[[str, str], int]

    def after(self, value: int, change: int) -> int:
        """Return the value that follows a change."""
        return (value + change) % self.cycle if self.cycle else value + change


@dataclass(frozen=True)
class Sheet:
    """A question before it is worded: a start, and signed changes with the verb of each."""

    domain: str
    language: str
    start: int
    changes: tuple[int, ...]
    verbs: tuple[str, ...]

    def entries(self) -> list[str]:
        """Return the numbered entries."""
        wording = WORDINGS[self.domain, self.language]
        pairs = zip(self.changes, self.verbs, strict=True)
        return [wording.entry(position, change, verb) for position, (change, verb) in enumerate(pairs)]

    def values(self) -> list[int]:
        """Return the start and the value after each entry."""
        values = [self.start]
        for change in self.changes:
            values.append(COUNTINGS[self.domain].after(values[-1], change))
        return values

    def lines(self) -> list[str]:
        """Return the thinking, one line an entry."""
        return lines_of(self, self.values())

    def answer(self) -> str:
        """Return the last value as it is written."""
        return COUNTINGS[self.domain].write(self.values()[-1], self.language)


def _write_balance(value: int, language: str) -> str:
    return str(value)


def _read_balance(text: str, language: str) -> int:
    return int(text)


def _write_weekday(value: int, language: str) -> str:
    return WEEKDAYS[language][value]


def _read_weekday(text: str, language: str) -> int:
    return WEEKDAYS[language].index(text)


def _write_time(value: int, language: str) -> str:
    return f"{value // 60}:{value % 60:02d}"


def _read_time(text: str, language: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


COUNTINGS: Final[Mapping[str, Counting]] = {
    "accounting": Counting(range(100), tuple(range(1, 10)), 0, 99, 0, _write_balance, _read_balance),
    "law": Counting(range(7), tuple(range(2, 10)), 0, 6, 7, _write_weekday, _read_weekday),
    "clock": Counting(
        range(7 * 60, 12 * 60 + 1, 5),
        (5, 10, 15, 20, 30, 40, 45),
        7 * 60,
        21 * 60,
        0,
        _write_time,
        _read_time,
    ),
}

_START_PATTERNS: Final[Mapping[str, str]] = {
    "accounting": r"\d{1,2}",
    "law": "|".join((*WEEKDAYS["en"], *WEEKDAYS["zh"])),
    "clock": r"\d{1,2}:[0-5]\d",
}


def _english(
    openings: tuple[str, ...], more: tuple[str, ...], less: tuple[str, ...], unit: str, asks: tuple[str, ...]
) -> Wording:
    return Wording(openings, more, less, unit, asks, ("; ", ", "), " ", ". ", ": ")


def _chinese(
    openings: tuple[str, ...], more: tuple[str, ...], less: tuple[str, ...], unit: str, asks: tuple[str, ...]
) -> Wording:
    return Wording(openings, more, less, unit, asks, ("；", "，"), "", "。", "：")


WORDINGS: Final[Mapping[tuple[str, str], Wording]] = {
    ("accounting", "en"): _english(
        ("The account starts at {start}: ", "Opening balance {start}: ", "The ledger opens with {start}: "),
        ("deposit", "received"),
        ("paid", "withdrew"),
        "",
        ("Closing balance?", "What is the balance now?"),
    ),
    ("accounting", "zh"): _chinese(
        ("账户起始余额{start}元：", "期初余额{start}元：", "账本开头记着{start}元："),
        ("存入", "收到"),
        ("支付", "取出"),
        "元",
        ("期末余额是多少元？", "现在余额是多少元？"),
    ),
    ("law", "en"): _english(
        ("The reply is due on {start}: ", "The deadline falls on {start}: ", "The filing day is {start}: "),
        ("extended", "postponed"),
        ("shortened", "advanced"),
        " days",
        ("On which weekday is it due?", "What is the new weekday?"),
    ),
    ("law", "zh"): _chinese(
        ("答复期限：{start}。", "举证期限：{start}。", "上诉期满日：{start}。"),
        ("延长", "推迟"),
        ("缩短", "提前"),
        "天",
        ("新的期限是周几？", "最后是周几？"),
    ),
    ("clock", "en"): _english(
        ("The clock shows {start}: ", "The lesson is set for {start}: ", "The bus leaves at {start}: "),
        ("forward", "delayed"),
        ("back", "earlier"),
        " min",
        ("What time is it then?", "What is the new time?"),
    ),
    ("clock", "zh"): _chinese(
        ("钟面显示{start}：", "上课时间是{start}：", "校车发车时间是{start}："),
        ("拨快", "顺延"),
        ("拨慢", "提早"),
        "分钟",
        ("最后是几点几分？", "新的时间是几点几分？"),
    ),
}


def lines_of(sheet: Sheet, values: Sequence[int]) -> list[str]:
    """Return one line an entry, with the start and the value after each entry given."""
    return [
        line_of(sheet.domain, sheet.language, entry, before, change, after)
        for entry, before, change, after in zip(
            sheet.entries(), values[:-1], sheet.changes, values[1:], strict=True
        )
    ]


def line_of(domain: str, language: str, entry: str, before: int, change: int, after: int) -> str:
    """Return one line of thinking: the entry, then the sum it asks for."""
    return f"{entry}{WORDINGS[domain, language].colon}{sum_of(domain, language, before, change, after)}"


def sum_of(domain: str, language: str, before: int, change: int, after: int) -> str:
    """Return one sum as the thinking writes it."""
    write = COUNTINGS[domain].write
    return f"{write(before, language)}{change:+d}={write(after, language)}"


def draw_sheet(rng: random.Random, *, domain: str, language: str, steps: int) -> Sheet:
    """Draw a start and `steps` changes, every value on the way within the domain's bounds."""
    if not 1 <= steps <= LONGEST:
        raise ValueError(f"A question has 1 to {LONGEST} steps, not {steps}.")
    counting, wording = COUNTINGS[domain], WORDINGS[domain, language]
    start = value = rng.choice(counting.starts)
    changes: list[int] = []
    while len(changes) < steps:
        change = rng.choice(counting.amounts) * (1 if rng.random() < SHARE_OF_MORE else -1)
        if counting.least <= counting.after(value, change) <= counting.most:
            value = counting.after(value, change)
            changes.append(change)
    verbs = tuple(rng.choice(wording.more if change > 0 else wording.less) for change in changes)
    return Sheet(domain, language, start, tuple(changes), verbs)


def word_sheet(rng: random.Random, sheet: Sheet, *, ask: str | None = None) -> str:
    """Return a sheet as a text, under an opening, a joint and (unless given) an ask that are drawn."""
    wording = WORDINGS[sheet.domain, sheet.language]
    start = COUNTINGS[sheet.domain].write(sheet.start, sheet.language)
    opening = rng.choice(wording.openings).format(start=start)
    entries = rng.choice(wording.joints).join(sheet.entries())
    return f"{opening}{entries}{wording.stop}{ask or rng.choice(wording.asks)}"


def make_question(rng: random.Random, *, domain: str, language: str, steps: int) -> FieldQuestion:
    """Draw one question of a domain, a language and a number of steps (1 to 8)."""
    sheet = draw_sheet(rng, domain=domain, language=language, steps=steps)
    return _question_of(word_sheet(rng, sheet), sheet)


def solve(text: str) -> FieldQuestion:
    """Read a question's text and work it out, line by line.

    Raises:
        UnreadableQuestion: the text has none of the field's wordings, or its entries are not in order.
    """
    return _question_of(text.strip(), read_sheet(text))


def read_sheet(text: str) -> Sheet:
    """Return the start and the entries in a question's text.

    Raises:
        UnreadableQuestion: the text has none of the field's wordings, or its entries are not in order.
    """
    stripped = text.strip()
    for domain, language in WORDINGS:
        match = _question_pattern(domain, language).fullmatch(stripped)
        if match:
            return _sheet_of(domain, language, match)
    raise UnreadableQuestion(
        f"No question about a ledger, a deadline or a clock can be read in {stripped[:60]!r}."
    )


def make_benchmark(seed: int, per_cell: int) -> list[FieldQuestion]:
    """Make `per_cell` distinct questions for each domain, language and number of steps from 2 to 8."""
    rng = random.Random(f"benchmark {seed}")
    taken: set[str] = set()
    return [
        _new_question(rng, taken, domain=domain, language=language, steps=steps)
        for domain, language in WORDINGS
        for steps in range(2, LONGEST + 1)
        for _ in range(per_cell)
    ]


def make_pool(
    seed: int,
    size: int,
    excluded_texts: Collection[str] = (),
    step_weights: Mapping[int, float] = POOL_STEP_WEIGHTS,
) -> list[FieldQuestion]:
    """Make `size` distinct questions, none of them among `excluded_texts`.

    Domains and languages are drawn evenly, and numbers of steps by `step_weights`.
    """
    rng = random.Random(f"pool {seed}")
    taken = set(excluded_texts)
    lengths = rng.choices(list(step_weights), list(step_weights.values()), k=size)
    cells = [rng.choice(list(WORDINGS)) for _ in range(size)]
    return [
        _new_question(rng, taken, domain=domain, language=language, steps=steps)
        for (domain, language), steps in zip(cells, lengths, strict=True)
    ]


def _new_question(
    rng: random.Random, taken: set[str], *, domain: str, language: str, steps: int
) -> FieldQuestion:
    """Draw a question whose text is not `taken` yet, and take it."""
    for _ in range(10_000):
        question = make_question(rng, domain=domain, language=language, steps=steps)
        if question.text not in taken:
            taken.add(question.text)
            return question
    raise FieldExhausted(
        f"The field has no more {domain} questions of {steps} step(s) in {language!r}; ask for fewer."
    )


def _question_of(text: str, sheet: Sheet) -> FieldQuestion:
    return FieldQuestion(
        text=text,
        domain=sheet.domain,
        language=sheet.language,
        steps=len(sheet.changes),
        thinking="\n".join(sheet.lines()),
        answer=sheet.answer(),
    )


def _sheet_of(domain: str, language: str, match: re.Match[str]) -> Sheet:
    """Return the sheet in a matched text.

    Raises:
        UnreadableQuestion: the entries are not numbered in order, or a value leaves the domain's bounds.
    """
    entries = list(_entries_in(domain, language, match["entries"]))
    sheet = Sheet(
        domain,
        language,
        COUNTINGS[domain].read(match["start"], language),
        tuple(change for _, change, _ in entries),
        tuple(verb for _, _, verb in entries),
    )
    if "".join(mark for mark, _, _ in entries) != MARKS[: len(entries)]:
        raise UnreadableQuestion(f"The entries are not numbered in order in {match[0][:60]!r}.")
    if not all(COUNTINGS[domain].least <= value <= COUNTINGS[domain].most for value in sheet.values()):
        raise UnreadableQuestion(f"A value goes out of bounds in {match[0][:60]!r}.")
    return sheet


def _entries_in(domain: str, language: str, text: str) -> Iterator[tuple[str, int, str]]:
    """Yield the mark, the signed change and the verb of each entry."""
    more = WORDINGS[domain, language].more
    for entry in re.finditer(_entry_pattern(domain, language), text):
        mark, verb, amount = entry.groups()
        yield mark, int(amount) if verb in more else -int(amount), verb


def _entry_pattern(domain: str, language: str) -> str:
    wording = WORDINGS[domain, language]
    verbs = "|".join(map(re.escape, (*wording.more, *wording.less)))
    return rf"([{MARKS}]){wording.gap}({verbs}){wording.gap}(\d{{1,2}}){re.escape(wording.unit)}"


@cache
def _question_pattern(domain: str, language: str) -> re.Pattern[str]:
    wording = WORDINGS[domain, language]
    # The openings hold one place each, and a named group may stand only once in a pattern.
    heads = "|".join(re.escape(opening.partition("{start}")[0]) for opening in wording.openings)
    tails = "|".join(sorted({re.escape(opening.partition("{start}")[2]) for opening in wording.openings}))
    entry = re.sub(r"\((?!\?)", "(?:", _entry_pattern(domain, language))
    joints = "|".join(map(re.escape, wording.joints))
    asks = "|".join(map(re.escape, wording.asks))
    return re.compile(
        rf"(?:{heads})(?P<start>{_START_PATTERNS[domain]})(?:{tails})"
        rf"(?P<entries>{entry}(?:(?:{joints}){entry})*){re.escape(wording.stop)}(?:{asks})"
    )
