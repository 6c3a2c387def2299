"""`manage.py evaluate MODEL BENCHMARK --policy FILE or --budgets 512,1024,2048`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from common.commands import StageCommand, owner_of, progress_bar
from common.core.chat import MARKUPS
from common.core.refusal import Refusal
from curator.models import Benchmark
from evaluation import services
from training.management.commands.train import read_json
from training.models import Model
from training.services import register_base


class Command(StageCommand):
    """Measure a model on a benchmark under budget policies."""

    help = "Measure a model on a benchmark under budget policies; thinking is generated once for all of them."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="the number that `train` printed, or a folder")
        parser.add_argument("benchmark", help="number or name")
        policies = parser.add_mutually_exclusive_group(required=True)
        policies.add_argument(
            "--policy", type=Path, metavar="FILE", help="one policy or a list of them, as JSON"
        )
        policies.add_argument("--budgets", metavar="512,1024,…", help="thinking tokens")
        parser.add_argument(
            "--project", default="", metavar="SLUG", help="where a benchmark's name is not enough"
        )
        parser.add_argument(
            "--markup", default="qwen2.5", choices=list(MARKUPS), help="of a model given as a folder"
        )

    def carry_out(self, **options: Any) -> dict[str, Any]:
        benchmark = named_benchmark(options["benchmark"], options["project"])
        model = _named_model(options["model"], benchmark, options["markup"])
        policies = (
            read_json(options["policy"], "policy") if options["policy"] else _budgets(options["budgets"])
        )
        job = services.start_evaluation(
            model=model,
            benchmark=benchmark,
            policies=[policies] if isinstance(policies, dict) else policies,
            by=owner_of(benchmark.project),
        )
        with progress_bar("evaluation") as watch:
            services.run_evaluation(job=job, watch=watch)
        return {
            "evaluation": job.pk,
            "items": benchmark.items.count(),
            "generated_tokens": job.generated_tokens,
            "scores": {row["policy"]: row for row in job.scores},
        }


def named_benchmark(word: str, slug: str) -> Benchmark:
    """Return a benchmark by its number or name.

    Raises:
        Refusal: none or several fit.
    """
    rows = Benchmark.objects.filter(project__slug=slug) if slug else Benchmark.objects.all()
    found = list(rows.filter(pk=int(word)) if word.isdigit() else rows.filter(name=word))
    if len(found) != 1:
        raise Refusal(
            f"{len(found)} benchmarks fit {word!r}; give the number that `import_benchmark` printed."
        )
    return found[0]


def _named_model(word: str, benchmark: Benchmark, markup: str) -> Model:
    if word.isdigit():
        found = Model.objects.filter(project=benchmark.project, pk=int(word)).first()
        if found is None:
            raise Refusal(
                f"The project {benchmark.project.slug} has no model {word}; `train` prints their numbers."
            )
        return found
    location = str(Path(word).resolve()) if Path(word).exists() else word
    known = Model.objects.filter(project=benchmark.project, location=location).first()
    return known or register_base(
        project=benchmark.project, name=Path(location).name, location=location, markup=markup
    )


def _budgets(text: str) -> list[dict[str, int]]:
    parts = [part for part in text.replace("，", ",").split(",") if part.strip()]
    if wrong := [part for part in parts if not part.strip().isdecimal()]:
        raise Refusal(f"The budget {wrong[0]!r} is no whole number; write --budgets 512,1024,2048.")
    return [{"max_tokens": int(part)} for part in parts]
