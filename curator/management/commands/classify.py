"""`manage.py classify SLUG --way rules|nearest|assistant [--model NAME] [--all] [--max-cost USD]`."""

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
from common.models import Project
from curator.models import Assistant, Classification, Embedder
from curator.services import classification


class Command(StageCommand):
    """Sort a project's questions into its domains."""

    help = "Sort questions into domains by rules, by their nearest labelled neighbours, or by a model; resumable."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--way", choices=Classification.Way.values, default="rules")
        parser.add_argument(
            "--model", metavar="NAME", help="the embedding model (nearest) or the assistant (assistant)"
        )
        parser.add_argument(
            "--all", action="store_true", help="also what has a domain, unless an expert gave it"
        )
        parser.add_argument("--neighbours", type=int, default=10, help="nearest: how many vote")
        parser.add_argument(
            "--least-confidence", type=float, default=0.5, help="nearest: below this share, “other”"
        )
        parser.add_argument("--max-cost", type=Decimal, metavar="USD")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        chosen = {
            "way": options["way"],
            "only_unlabelled": not options["all"],
            **_model(project, options["way"], options["model"]),
        }
        estimate = classification.estimate_classification(project=project, **chosen)
        self.stderr.write(f"{estimate.questions} questions, about {estimate.usd:.2f} USD. {estimate.basis}")
        chosen |= {
            "neighbours": options["neighbours"],
            "least_confidence": options["least_confidence"],
        }
        begun, limit = Classification.objects.filter(project=project, **chosen), options["max_cost"]
        order = taken_up(begun, self.stderr.write, max_cost_usd=limit) or classification.start_classification(
            project=project, **chosen, max_cost_usd=limit, by=owner_of(project)
        )
        with progress_bar("sorting") as watch:
            classification.run_classification(job=order, watch=watch)
        order.refresh_from_db()
        refuse_if_resting(order, order.stored)
        return {
            "classification": order.pk,
            "asked": order.asked,
            "stored": order.stored,
            "failed": order.failed,
            "cost_usd": order.cost_usd,
        }


def _model(project: Project, way: str, name: str | None) -> dict[str, Any]:
    """Return the model that a way asks, by the name of the argument that takes it."""
    kinds: dict[str, Any] = {"nearest": Embedder, "assistant": Assistant}
    if way not in kinds:
        return {}
    found = kinds[way].objects.filter(project=project, name=name or "").first()
    if found is None:
        known = ", ".join(kinds[way].objects.filter(project=project).values_list("name", flat=True))
        raise Refusal(
            f"Name the model with --model; {project.slug} has {known or 'none'}, entered on the teachers' page."
        )
    return {"embedder" if way == "nearest" else "assistant": found}
