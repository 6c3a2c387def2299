"""`manage.py import_traces SLUG FILE --teacher NAME`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from common.commands import StageCommand, named_project
from curator.services import traces


class Command(StageCommand):
    """Store traces made elsewhere, matched by id or by content."""

    help = "Store traces made elsewhere; each is matched to a question by content or by id."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)
        parser.add_argument("--teacher", required=True, metavar="NAME")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        report = traces.import_traces(project=project, teacher_name=options["teacher"], path=options["file"])
        return {
            "read": report.read,
            "stored": report.stored,
            "duplicates": report.duplicates,
            "unmatched": report.unmatched,
            "failed": report.failed,
            "cost_usd": 0,
        }
