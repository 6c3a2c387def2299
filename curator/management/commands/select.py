"""`manage.py select SLUG --method s1-paper --size 1000 --seed 0 [--method-file FILE]`."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from common.commands import StageCommand, named_project, owner_of, progress_bar
from common.core.refusal import Refusal
from curator.core.method import METHODS
from curator.queries.caveats import get_selection_caveats
from curator.services import selections


class Command(StageCommand):
    """Pick questions by a method, replayable by its seed."""

    help = "Pick questions by a method; the same questions, method and seed give the same members."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--method", default="s1-paper", choices=list(METHODS))
        parser.add_argument("--method-file", type=Path, help="a method of one's own, as JSON")
        parser.add_argument("--size", type=int, default=1000)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--name", default="")
        parser.add_argument("--arms", action="store_true", help="also the control methods beside it")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        by = owner_of(project)
        selection = selections.start_selection(
            project=project,
            method=_method(options["method_file"]) if options["method_file"] else options["method"],
            size=options["size"],
            seed=options["seed"],
            name=options["name"],
            by=by,
        )
        with progress_bar("selecting") as watch:
            selections.run_selection(job=selection, watch=watch)
            arms = selections.start_arms(selection=selection, by=by) if options["arms"] else []
            for arm in arms:
                selections.run_selection(job=arm, watch=watch)
        return {
            "selection": selection.pk,
            "method": selection.method_name,
            "seed": selection.seed,
            "size": selection.decisions.filter(position__isnull=False).count(),
            "members_hash": selection.members_hash,
            "funnel": selection.funnel,
            "pinned": selection.pinned,
            "banned": selection.banned,
            "shortfall": selection.shortfall,
            "caveats": get_selection_caveats(selection),
            "arms": {arm.method_name: arm.pk for arm in arms},
        }


def _method(path: Path) -> dict[str, Any]:
    try:
        method = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refusal(
            f'{path} is no JSON ({error}); write one object, such as {{"name": "mine"}}.'
        ) from error
    if not isinstance(method, dict):
        raise Refusal(f'{path} holds no JSON object; write one, such as {{"name": "mine"}}.')
    return method
