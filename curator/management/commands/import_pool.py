"""`manage.py import_pool SLUG FILE --pool NAME --licence … [--map question=题目 …]`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from common.commands import StageCommand, named_project, owner_of, progress_bar
from curator.core.rows import parse_mapping
from curator.models import Pool
from curator.services import pools


class Command(StageCommand):
    """Read a file of questions into a pool, which is made if need be."""

    help = "Read a file of questions (CSV, TSV, XLSX, JSON, JSONL, Parquet, .gz) into a pool."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)
        parser.add_argument("--pool", required=True, metavar="NAME")
        parser.add_argument("--licence", required=True)
        parser.add_argument("--provenance", default="")
        parser.add_argument("--map", nargs="*", default=[], metavar="FIELD=COLUMN")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project, mapping = named_project(options["slug"]), parse_mapping(options["map"])
        with options["file"].open("rb"):
            pass  # a file that cannot be opened leaves no pool behind
        known = Pool.objects.filter(project=project, name=options["pool"].strip()).first()
        pool = known or pools.create_pool(
            project=project,
            name=options["pool"],
            licence=options["licence"],
            provenance=options["provenance"],
        )
        try:
            job = pools.start_import(
                pool=pool,
                content=options["file"],
                file_name=options["file"].name,
                mapping=mapping,
                by=owner_of(project),
            )
            with progress_bar("reading") as watch:
                pools.run_import(job=job, watch=watch)
        finally:
            if known is None:
                pools.drop_if_empty(pool=pool)
        return {"import": job.pk, **pools.summary(job), "reasons": pools.reasons(job)}
