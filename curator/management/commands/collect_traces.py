"""`manage.py collect_traces SLUG --teacher NAME [--limit N] [--max-cost USD]`."""

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
from common.core.refusal import Refusal
from curator.models import Teacher
from curator.services import collecting


class Command(StageCommand):
    """Ask a teacher what it has not answered yet; calling again goes on."""

    help = "Ask a teacher all questions that it has not answered; resumable."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--teacher", required=True, metavar="NAME")
        parser.add_argument("--limit", type=int, help="ask at most so many questions")
        parser.add_argument("--max-cost", type=Decimal, metavar="USD")
        parser.add_argument(
            "--most-pass-rate",
            type=float,
            metavar="SHARE",
            help="ask only what solvers have tried and got right in at most this share of tries, from 0 to 1",
        )

        parser.add_argument(
            "--cut-again",
            action="store_true",
            help="ask again what was cut off at a lower limit of tokens than the teacher's is now",
        )

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        teacher = Teacher.objects.filter(project=project, name=options["teacher"]).first()
        if teacher is None:
            known = (
                ", ".join(Teacher.objects.filter(project=project).values_list("name", flat=True)) or "none"
            )
            raise Refusal(
                f"The project has no teacher {options['teacher']!r} (there is: {known}); add it on the teachers page."
            )
        which = {
            "question_limit": options["limit"],
            "most_pass_rate": options["most_pass_rate"],
            "cut_again": options["cut_again"],
        }
        estimate = collecting.estimate_collection(teacher=teacher, **which)
        self.stderr.write(f"{estimate.questions} questions, about {estimate.usd:.2f} USD. {estimate.basis}")
        if teacher.permits_training is False:
            self.stderr.write(
                f"Its provider forbids training a competing model on its output. {teacher.terms}"
            )
        limits = {**which, "max_cost_usd": options["max_cost"]}
        begun = teacher.collections.filter(**which)
        order = taken_up(
            begun, self.stderr.write, max_cost_usd=limits["max_cost_usd"]
        ) or collecting.start_collection(teacher=teacher, **limits, by=owner_of(project))
        with progress_bar("asking") as watch:
            collecting.run_collection(job=order, watch=watch)
        order.refresh_from_db()
        refuse_if_resting(order, order.stored)
        return {
            "asked": order.asked,
            "stored": order.stored,
            "unmatched": 0,
            "failed": order.failed,
            "remembered": order.remembered,
            "cost_usd": order.cost_usd,
        }
