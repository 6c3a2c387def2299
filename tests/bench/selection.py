"""A whole selection over as many questions as s1 began with and 1 GB of traces, and its draw again."""

from typing import Any

from django.db.models import Count, F, Q

from common.models import Project
from curator.core.method import METHODS
from curator.core.quality import BY_NAME, Specimen, question_flaws, trace_flaws
from curator.models import Leak, Question, Trace
from curator.services import candidates, selections
from tests.bench import traced
from tests.bench.commands import CORES, Ran, run_command
from tests.bench.figures import MIB, Figure, fastest, timed, within

NAME = "Selecting a thousand"
S1_ROWS = 59_029
MOST_MIB = 2048
LOOP = "every row again in Python"


def run(scale: float) -> list[Figure]:
    """Select by the command, beside a loop over rows, and draw again in this process."""
    size = max(10, round(1000 * scale))
    project = traced.long_traces("selection", round(S1_ROWS * scale))
    with timed() as loop:
        left = row_by_row(project)
    return [*whole(project, size, left, loop.seconds), *again(project, size, loop.seconds)]


def whole(project: Project, size: int, left: int, loop_seconds: float) -> list[Figure]:
    """Time the command from its start to its end: texts are read, and a verdict on every question is stored."""
    first = selected(project, size)
    traced.settle()
    second = selected(project, size)
    if reaching(first) != left:
        raise AssertionError(f"{reaching(first)} questions reach the command's draw, and {left} the loop's")
    questions = Question.objects.filter(project=project).count()
    note = f"{questions:,} questions, {traced.gigabytes(project):.2f} GB of traces, the whole command, {CORES} cores"
    return [
        within("select, every text read", first.seconds, 60, note),
        _memory("the same, memory", first),
        _beside("the same", first.seconds, loop_seconds),
        _beside("select, texts read before", second.seconds, loop_seconds),
    ]


def again(project: Project, size: int, loop_seconds: float) -> list[Figure]:
    """Time draws with other parameters in one process, as a page asks for them when a slider moves."""
    with timed() as cold:
        candidates.table_of(project)
    taken = sorted((fastest(lambda way=way: redrawn(project, way, size)), way["draw"]) for way in ways())
    slowest, draw = taken[-1]
    note = f"{draw}, the slowest of {len(taken)} ways; the median is {taken[len(taken) // 2][0]:.3f} s"
    return [
        Figure("columns out of the database", cold.seconds, note="once, until a row changes"),
        within("draw again, parameters changed", slowest, 1, note),
        _beside("the same", slowest, loop_seconds),
    ]


def selected(project: Project, size: int) -> Ran:
    """Run `manage.py select`."""
    return run_command("select", project.slug, "--size", str(size))


def reaching(ran: Ran) -> int:
    """Return how many questions reached the draw."""
    return int(ran.said["funnel"][-2]["kept"])


def ways() -> list[dict[str, Any]]:
    """Return methods as a page's sliders and switches make them, no two alike."""
    paper = METHODS["s1-paper"].as_dict()
    weights = {"math gsm8k": 3.0, "law lexeval": 2.0, "math math_train": 1.0}
    built_in = [
        method.as_dict() | ({"weights": weights} if method.draw == "even-then-target" else {})
        for method in METHODS.values()
    ]
    return [
        *built_in,
        paper | {"most_passed": 0.5},
        paper | {"difficulty_by": ["passes", "length"], "least_tokens": 3000},
        paper | {"difficulty_by": ["length"], "least_tokens": 6000, "combine": "all"},
        paper | {"patterns": sorted(BY_NAME)[::2]},
        paper | {"draw": "coverage", "bands": 12},
        paper | {"only_right": True, "keep_untried": False},
    ]


def redrawn(project: Project, way: dict[str, Any], size: int) -> list[Any]:
    """Return what a page shows of a draw that is stored nowhere: funnel, members, and fifty verdicts."""
    result = selections.try_method(project=project, method=way, size=size, seed=7)
    return [result.funnel, result.members, [result.verdict_at(row) for row in result.member_rows[:50]]]


def row_by_row(project: Project) -> int:
    """Return how many questions reach the draw of `s1-paper`, by a loop over rows as a script would do it.

    Every text is looked at by every pattern in every run, and nothing is kept from one run to the next.
    """
    leaked = set(Leak.objects.filter(question__project=project).values_list("question_id", flat=True))
    passes = Count("attempts", filter=Q(attempts__verdict="right"))
    questions = Question.objects.filter(project=project).annotate(passes=passes, source=F("pool__name"))
    left = {}
    columns = ("pk", "text", "source", "standing", "passes", "near_copy")
    for pk, text, source, standing, passed, copy in questions.values_list(*columns).iterator():
        is_bad = passed or copy or question_flaws(Specimen(text, source=source))
        if standing != "banned" and pk not in leaked and (standing == "pinned" or not is_bad):
            left[pk] = standing
    return _with_good_trace(project, left)


def _with_good_trace(project: Project, left: dict[int, str]) -> int:
    columns = ("question_id", "thinking", "answer", "finish_reason", "question__language")
    rows = Trace.objects.filter(question__project=project).values_list(*columns)
    good = 0
    for pk, thinking, answer, finish, language in rows.iterator(chunk_size=500):
        flaws = trace_flaws(Specimen("", thinking, answer, finish, language=language))
        good += pk in left and (left[pk] == "pinned" or not flaws)
    return good


def _beside(name: str, seconds: float, loop_seconds: float) -> Figure:
    return Figure(name, seconds, LOOP, loop_seconds, seconds / loop_seconds)


def _memory(name: str, run: Ran) -> Figure:
    held = run.peak_bytes / MIB
    note = f"{held:,.0f} MiB at its peak"
    return Figure(name, run.seconds, limit=f"at most {MOST_MIB:,} MiB", note=note, kept=held <= MOST_MIB)
