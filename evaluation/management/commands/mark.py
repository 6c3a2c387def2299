"""`manage.py mark FILE [--marker math]`: the product's own marker on a file, for comparison with others."""

import json
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from common.commands import StageCommand
from common.core.answers import Marker, Outcome, mark
from curator import readers


class Command(StageCommand):
    """Mark a file of keys and answers."""

    help = "Mark a JSONL of key and answer (and options) with the product's own marker."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--marker", default="auto", choices=[*Marker, "math"])
        parser.add_argument(
            "--json-lines", type=Path, metavar="FILE", help="write each row's outcome, in order"
        )

    def carry_out(self, **options: Any) -> dict[str, Any]:
        rows = readers.open_table(options["file"]).rows
        marker = Marker.AUTO if options["marker"] == "math" else Marker(options["marker"])
        marks = [
            mark(
                str(row.get("answer") or ""),
                key=str(row.get("key") or ""),
                options=tuple(row.get("options") or ()),
                marker=marker,
            )
            for row in rows
        ]
        if options["json_lines"]:
            lines = (json.dumps({"outcome": made.outcome, "rule": made.rule}) for made in marks)
            options["json_lines"].write_text("\n".join(lines) + "\n", encoding="utf-8")
        counts = Counter(made.outcome for made in marks)
        return {"total": len(marks), **{outcome.value: counts[outcome] for outcome in Outcome}}
