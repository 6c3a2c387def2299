"""`manage.py import_benchmark SLUG FILE --name NAME [--exam] [--map question=题目 …]`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from common.commands import StageCommand, named_project
from common.core.refusal import Refusal
from curator.core.rows import MissingColumn, parse_mapping
from curator.management.commands.import_pool import NAME_IT
from curator.services import benchmarks


class Command(StageCommand):
    """Read held-out questions and find what of them has leaked into the pools."""

    help = "Read held-out questions and find what of them has leaked into the pools."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", required=True)
        parser.add_argument("--licence", default="")
        parser.add_argument("--exam", action="store_true", help="held out only, not scored: keys may lack")
        parser.add_argument("--map", nargs="*", default=[], metavar="FIELD=COLUMN")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        mapping = parse_mapping(options["map"])
        try:
            report = benchmarks.import_benchmark(
                project=named_project(options["slug"]),
                path=options["file"],
                name=options["name"],
                licence=options["licence"],
                is_exam=options["exam"],
                mapping=mapping,
            )
        except MissingColumn as missing:
            raise Refusal(f"{missing} {NAME_IT}") from missing
        return {"benchmark": report.benchmark.pk, "items": report.items, "leaks": report.leaks}
