"""`manage.py export DATASET --format … --to DIR [--purpose own|share|sell]`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from common.commands import StageCommand
from common.core.refusal import Refusal
from curator import queries
from curator.core.licences import Purpose, Together
from curator.models import Dataset
from curator.services import datasets


def named_dataset(word: str) -> Dataset:
    """Return a dataset by its number or by the beginning of its hash.

    Raises:
        Refusal: none or several fit.
    """
    found = list(Dataset.objects.filter(pk=int(word))) if word.isdecimal() else []
    found = found or list(Dataset.objects.filter(content_hash__startswith=word))
    if len(found) != 1:
        raise Refusal(
            f"{len(found)} datasets fit {word!r}; give the number or the hash that `freeze` printed."
        )
    return found[0]


class Command(StageCommand):
    """Write a dataset to files."""

    help = "Write a dataset's rows to files."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="number or hash")
        parser.add_argument("--format", default="jsonl", choices=datasets.FORMATS)
        parser.add_argument(
            "--purpose",
            default=Purpose.OWN.value,
            choices=[purpose.value for purpose in Purpose],
            help="own: for training your own models (the default); share: to give away; sell",
        )
        parser.add_argument("--to", required=True, type=Path, metavar="DIR")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        dataset = named_dataset(options["dataset"])
        together = queries.get_together(dataset)
        self.stderr.write(_notice(together))
        files = datasets.export(
            dataset=dataset,
            file_format=options["format"],
            folder=options["to"],
            purpose=Purpose(options["purpose"]),
        )
        return {
            "dataset": dataset.pk,
            "files": [str(file) for file in files],
            "hash": dataset.content_hash,
            "rows": dataset.row_count,
            "purpose": options["purpose"],
            "conditions": [condition.value for condition in together.conditions],
        }


def _notice(together: Together) -> str:
    """Return the most restrictive condition of all sources, and who asks for it."""
    hardest = together.most_restrictive
    if hardest is None:
        return "The licences of its sources ask for nothing."
    names = ", ".join(source.name for source in together.asking(hardest))
    return f"Most restrictive condition of its sources: {queries.CONDITION_WORDS[hardest]} ({names})."
