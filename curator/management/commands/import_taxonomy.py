"""`manage.py import_taxonomy SLUG FILE`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from common.commands import StageCommand, named_project
from curator.services import taxonomy


class Command(StageCommand):
    """Read the field's domains."""

    help = "Read the field's domains (columns code, name, parent, weight)."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        return {"domains": taxonomy.import_taxonomy(project=project, path=options["file"])}
