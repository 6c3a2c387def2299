"""`manage.py freeze SLUG SELECTION [--name …]`."""

from argparse import ArgumentParser
from typing import Any

from common.commands import StageCommand, named_project, owner_of
from common.core.refusal import Refusal
from curator.models import Selection
from curator.services import datasets


class Command(StageCommand):
    """Freeze a selection, as reviewed, into a dataset."""

    help = "Freeze a selection, as reviewed, into an immutable dataset."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("selection", type=int, help="the number that `select` printed")
        parser.add_argument("--name", default="")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        selection = Selection.objects.filter(project=project, pk=options["selection"]).first()
        if selection is None:
            raise Refusal(
                f"The project {project.slug} has no selection {options['selection']}; `select` makes one."
            )
        dataset = datasets.freeze(selection=selection, name=options["name"], by=owner_of(project))
        return {
            "dataset": dataset.pk,
            "name": dataset.name,
            "hash": dataset.content_hash,
            "rows": dataset.row_count,
        }
