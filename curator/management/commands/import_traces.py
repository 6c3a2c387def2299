"""`manage.py import_traces SLUG FILE --teacher NAME [--map FIELD=COLUMN …] [--answers-of MAKER] [--terms …]`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from common.commands import StageCommand, named_project, owner_of, progress_bar
from common.core.refusal import Refusal
from common.models import Project
from curator.core.layouts import parse_trace_mapping
from curator.models import TraceImport
from curator.services import traces, uploads

SHOWN_FAULTS = 20


class Command(StageCommand):
    """Store traces made elsewhere, matched by id or by content."""

    help = (
        "Store traces made elsewhere (JSON Lines, Parquet, CSV …; s1K, LIMO, OpenThoughts, open-r1 and chat "
        "messages are known); each is matched to a question by content or by id."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)
        parser.add_argument("--teacher", default="", metavar="NAME", help="the model that wrote them")
        parser.add_argument("--map", nargs="*", default=[], metavar="FIELD=COLUMN")
        parser.add_argument(
            "--answers-of",
            default="",
            metavar="MAKER",
            help="whose replies, where those of several makers stand side by side, such as deepseek",
        )
        parser.add_argument("--terms", default="", help="the licence or terms under which they may be used")
        parser.add_argument(
            "--summaries", action="store_true", help="the thinking is a provider's summary, not the trace"
        )

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project, mapping = named_project(options["slug"]), parse_trace_mapping(options["map"])
        given = {
            "teacher_name": options["teacher"],
            "mapping": mapping,
            "maker": options["answers_of"],
            "terms": options["terms"],
            "is_summary": options["summaries"],
        }
        with uploads.unpacked(options["file"], options["file"].name) as tables:
            named = [
                (path, name, given | {"mapping": _with_teacher(path, name, given)}) for path, name in tables
            ]
            return _outcome([_import(project, path, name, said) for path, name, said in named])


def _with_teacher(path: Path, name: str, given: dict[str, Any]) -> dict[str, str]:
    """Return the mapping that was given, with the column that names the teacher if nothing else does."""
    mapping: dict[str, str] = given["mapping"]
    if given["teacher_name"] or mapping.get("teacher"):
        return mapping
    column = "" if "teacher" in mapping else traces.teacher_column(path, name)
    if not column:
        raise CommandError(
            "Name the teacher by --teacher NAME, or the column that does by --map teacher=COLUMN.",
            returncode=2,
        )
    return mapping | {"teacher": column}


def _import(project: Project, path: Path, name: str, given: dict[str, Any]) -> TraceImport:
    job = traces.start_import(project=project, content=path, file_name=name, by=owner_of(project), **given)
    try:
        with progress_bar(name) as watch:
            traces.run_import(job=job, watch=watch)
    except Refusal:
        traces.discard(job=job)
        raise
    return job


def _outcome(jobs: list[TraceImport]) -> dict[str, Any]:
    """Return the sums over all tables, and the first rows that became no trace."""
    summaries = [traces.summary(job) for job in jobs]
    sums = {key: sum(each[key] for each in summaries) for key in summaries[0]}
    left = [
        {"file": job.file_name, "row": each.row_number, "reason": each.reason, "text": each.text}
        for job in jobs
        for each in traces.left_out(job)
    ]
    return {
        **sums,
        "cost_usd": 0,
        "layouts": [job.layout for job in jobs],
        "reasons": [
            {"file": job.file_name, "reason": reason, "rows": rows}
            for job in jobs
            for reason, rows in traces.reasons(job)
        ],
        "left_out": left[:SHOWN_FAULTS],
    }
