"""`manage.py probe_solver SLUG --solver NAME [--samples K] [--max-cost USD]`."""

from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from common.commands import (
    StageCommand,
    named_project,
    owner_of,
    progress_bar,
    refuse_if_resting,
    taken_up,
)
from curator.models import Solver
from curator.services import collecting, endpoints


class Command(StageCommand):
    """Let a solver try every question with a key; calling again makes only the tries that are missing."""

    help = "Let a solver try the questions, so that their difficulty is known; resumable."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--solver", required=True, metavar="NAME")
        parser.add_argument("--samples", type=int, default=1, help="tries per question")
        parser.add_argument("--max-cost", type=Decimal, metavar="USD")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        solver = endpoints.named_endpoint(kind=Solver, project=project, name=options["solver"])
        limits = {"samples": options["samples"], "max_cost_usd": options["max_cost"]}
        estimate = collecting.estimate_probe(solver=solver, samples=options["samples"])
        self.stderr.write(f"{estimate.questions} tries, about {estimate.usd:.2f} USD. {estimate.basis}")
        begun = solver.probes.filter(samples=limits["samples"])
        order = taken_up(
            begun, self.stderr.write, max_cost_usd=limits["max_cost_usd"]
        ) or collecting.start_probe(solver=solver, **limits, by=owner_of(project))
        with progress_bar("trying") as watch:
            collecting.run_probe(job=order, watch=watch)
        order.refresh_from_db()
        refuse_if_resting(order, order.stored)
        right = order.attempts.filter(verdict="right").count()
        return {
            "asked": order.asked,
            "stored": order.stored,
            "failed": order.failed,
            "right": right,
            "cost_usd": order.cost_usd,
        }
