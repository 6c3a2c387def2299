"""A selection over ten times as many questions: what it costs in time and memory, with short traces."""

from curator.core.method import METHODS
from tests.bench import traced
from tests.bench.commands import Ran, memory_growth
from tests.bench.figures import Figure, at_most, fastest
from tests.bench.selection import redrawn, selected

NAME = "Selecting from ten times as many"
FEW, MANY = 60_000, 600_000
MOST_GROWTH = 11


def run(scale: float) -> list[Figure]:
    """Time the command over few and over ten times as many questions, with short traces, texts read and unread."""
    size = max(10, round(1000 * scale))
    few, few_seconds = _of_short_traces("few", round(FEW * scale), size)
    many, many_seconds = _of_short_traces("many", round(MANY * scale), size)
    base = f"{round(FEW * scale):,} questions"
    figures = []
    for what, small, large in zip(("every text read", "texts read before"), few, many, strict=True):
        name = f"select, {what}, growth"
        figures.append(at_most(name, large.seconds, base, small.seconds, MOST_GROWTH, "ten times as many"))
        figures.append(memory_growth("the same, memory", small, large))
    grown = many_seconds / few_seconds
    return [*figures, Figure("draw again, growth", many_seconds, base, few_seconds, grown)]


def _of_short_traces(slug: str, count: int, size: int) -> tuple[list[Ran], float]:
    """Return two runs of the command, the first of which reads every text, and the seconds of a draw after them."""
    project = traced.short_traces(slug, count)
    reading = selected(project, size)
    traced.settle()
    having_read = selected(project, size)
    way = METHODS["s1-paper"].as_dict()
    return [reading, having_read], fastest(lambda: redrawn(project, way, size))
