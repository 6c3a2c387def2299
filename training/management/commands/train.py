"""`manage.py train DATASET --base MODEL --backend local [--recipe FILE]`."""

import json
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from typing import Any

from common.commands import StageCommand, owner_of, progress_bar
from common.core.refusal import Refusal
from curator.management.commands.export import named_dataset
from training import services
from training.core.recipe import RECIPES
from training.models import Model


class Command(StageCommand):
    """Fine-tune a base model on a dataset."""

    help = "Fine-tune a base model on a dataset; nothing of it is truncated."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="number or hash")
        parser.add_argument(
            "--base", required=True, metavar="MODEL", help="a folder, or a name the machine can resolve"
        )
        parser.add_argument("--backend", default="local", choices=["local"])
        parser.add_argument("--recipe", default="s1", help=f"{', '.join(RECIPES)}, or a JSON file")
        parser.add_argument("--name", default="")
        parser.add_argument("--max-cost", type=Decimal, metavar="USD")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        dataset = named_dataset(options["dataset"])
        recipe = (
            options["recipe"]
            if options["recipe"] in RECIPES
            else read_json(Path(options["recipe"]), "recipe")
        )
        _name, made = services.recipe_from(recipe)
        location = str(Path(options["base"]).resolve()) if Path(options["base"]).exists() else options["base"]
        base = Model.objects.filter(
            project=dataset.project, location=location
        ).first() or services.register_base(
            project=dataset.project, name=Path(location).name, location=location, markup=made.markup
        )
        job = services.start_run(
            dataset=dataset,
            base=base,
            recipe=recipe,
            name=options["name"],
            max_cost_usd=options["max_cost"],
            by=owner_of(dataset.project),
        )
        with progress_bar("fine-tune") as watch:
            services.run_training(job=job, watch=watch)
        model = Model.objects.get(run=job)
        return {
            "run": job.pk,
            "state": job.state,
            "model": model.pk,
            "location": model.location,
            "steps": job.steps,
            "final_loss": job.final_loss,
            "cost_usd": job.cost_usd,
        }


def read_json(path: Path, what: str) -> Any:
    """Return a JSON file's content.

    Raises:
        Refusal: there is no such file, or it is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refusal(f"The {what} {path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise Refusal(f"The {what} {path} is no JSON ({error}).") from error
