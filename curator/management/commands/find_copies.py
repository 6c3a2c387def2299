"""`manage.py find_copies SLUG [--threshold 0.8] [--embedder NAME]`."""

from argparse import ArgumentParser
from typing import Any

from common.commands import StageCommand, named_project, owner_of, progress_bar
from common.core.refusal import Refusal
from common.models import Project
from curator.models import Embedder
from curator.services import copies


class Command(StageCommand):
    """Find near copies among a project's questions; what is found replaces what the last search found."""

    help = "Find near copies among a project's questions; no question is removed."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--threshold", type=float, default=copies.THRESHOLD, help="from 0.5 to 1")
        parser.add_argument("--embedder", default="", help="also by meaning, by this embedding model")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        search = copies.start_copy_search(
            project=project,
            threshold=options["threshold"],
            embedder=_named_embedder(project, options["embedder"]) if options["embedder"] else None,
            by=owner_of(project),
        )
        with progress_bar("looking for copies") as watch:
            copies.run_copy_search(job=search, watch=watch)
        return {
            "search": search.pk,
            "questions": search.progress_total,
            "copies": search.copies,
            "clusters": search.clusters,
            "threshold": search.threshold,
        }


def _named_embedder(project: Project, name: str) -> Embedder:
    found: Embedder | None = Embedder.objects.filter(project=project, name=name).first()
    if found is None:
        raise Refusal(f"{project.slug} has no embedding model named {name!r}; make one in the browser first.")
    return found
