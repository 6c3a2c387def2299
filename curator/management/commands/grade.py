"""`manage.py grade SLUG --assistant NAME [--max-cost USD]`."""

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
from curator.models import Assistant
from curator.services import endpoints, grading


class Command(StageCommand):
    """Let an assistant grade what rules could not decide; calling again grades only what is left."""

    help = "Let an assistant grade the answers that rules could not decide about; resumable."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--assistant", required=True, metavar="NAME")
        parser.add_argument("--max-cost", type=Decimal, metavar="USD")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        assistant = endpoints.named_endpoint(kind=Assistant, project=project, name=options["assistant"])
        estimate = grading.estimate_grading(assistant=assistant)
        self.stderr.write(f"{estimate.questions} answers, about {estimate.usd:.2f} USD. {estimate.basis}")
        limits = {"max_cost_usd": options["max_cost"]}
        begun = assistant.gradings.all()
        order = taken_up(begun, self.stderr.write, **limits) or grading.start_grading(
            assistant=assistant, **limits, by=owner_of(project)
        )
        with progress_bar("grading") as watch:
            grading.run_grading(job=order, watch=watch)
        order.refresh_from_db()
        refuse_if_resting(order, order.stored)
        return {
            "asked": order.asked,
            "stored": order.stored,
            "failed": order.failed,
            "right": order.grades.filter(is_right=True).count(),
            "cost_usd": order.cost_usd,
        }
