"""`manage.py import_pool SLUG FILE… --pool NAME [--licence …] [--map question=题目 …]`."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from common.commands import StageCommand, named_project, owner_of, progress_bar
from common.core.refusal import Refusal
from common.models import Project
from curator import readers
from curator.core.rows import MissingColumn, parse_mapping
from curator.models import Import, Pool
from curator.services import imports, pools, uploads

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "full-width comma": "，"}
NAME_IT = "Name the one that does, as in --map question=COLUMN."
COUNTED = ("read", "imported", "duplicates", "rejected", "needs_key", "filled", "conflicts", "neutralised")


class Command(StageCommand):
    """Read files of questions into a pool, which is made if need be."""

    help = "Read files of questions (CSV, TSV, XLSX, JSON, JSONL, Parquet, .gz, .zip) into a pool."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
        parser.add_argument("--pool", required=True, metavar="NAME")
        parser.add_argument("--licence", help="of the questions; needed where the pool is new")
        parser.add_argument("--provenance", default="")
        parser.add_argument("--map", nargs="*", default=[], metavar="FIELD=COLUMN")
        said = parser.add_argument_group("how the files are written, where what is found out is not right")
        said.add_argument("--encoding", type=_encoding, help=", ".join(readers.ENCODINGS))
        said.add_argument("--separator", type=_separator, help=", ".join(SEPARATORS))
        said.add_argument(
            "--header-row",
            type=_header_row,
            metavar="N",
            help="the row of the column names, counted from 1; 0: there are none, and the columns are "
            "Column 1, Column 2, …",
        )
        said.add_argument("--sheet", default="", metavar="NAME", help="of a workbook")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        reading = readers.Reading(
            encoding=options["encoding"] or "",
            delimiter=options["separator"] or "",
            header_row=options["header_row"],
            sheet=options["sheet"],
        )
        how = {"mapping": parse_mapping(options["map"]), "reading": reading}
        for file in options["files"]:
            with file.open("rb"):
                pass  # a file that cannot be opened leaves no pool behind
        known = Pool.objects.filter(project=project, name=options["pool"].strip()).first()
        if known is None and options["licence"] is None:
            raise CommandError(
                f"The pool {options['pool']!r} is new; give its licence by --licence, or write “unknown”.",
                returncode=2,
            )
        pool = known or pools.create_pool(
            project=project,
            name=options["pool"],
            licence=options["licence"],
            provenance=options["provenance"],
        )
        try:
            jobs, refused = _read_in(project, pool, options["files"], how)
        finally:
            if known is None:
                pools.drop_if_empty(pool=pool)
        if refused:
            raise Refusal(_sentence(jobs, refused))
        return _outcome(jobs)


def _encoding(name: str) -> str:
    try:
        return readers.known_encoding(name)
    except ValueError as error:
        raise ArgumentTypeError(f"{name!r} is none of {', '.join(readers.ENCODINGS)}.") from error


def _separator(name: str) -> str:
    """Return a separator by its name, or as it stands on the command line."""
    sign = SEPARATORS.get(name, "\t" if name == r"\t" else name)
    if sign not in SEPARATORS.values():
        raise ArgumentTypeError(f"{name!r} is none of {', '.join(SEPARATORS)}.")
    return sign


def _header_row(number: str) -> int:
    if not number.isascii() or not number.isdigit():
        raise ArgumentTypeError(f"{number!r} is no row number; rows count from 1, and 0 is none.")
    return int(number)


def _read_in(
    project: Project, pool: Pool, files: Sequence[Path], how: Mapping[str, Any]
) -> tuple[list[Import], list[str]]:
    """Read every table of every file; return the imports, and the sentences that refused the others."""
    jobs, refused = [], []
    for file in files:
        try:
            with uploads.unpacked(file, file.name) as tables:
                for path, name in tables:
                    try:
                        jobs.append(_import(project, pool, path, name, how))
                    except MissingColumn as missing:
                        refused.append(f"{missing} {NAME_IT}")
                    except Refusal as refusal:
                        refused.append(str(refusal))
        except Refusal as refusal:
            refused.append(str(refusal))
    return jobs, refused


def _import(project: Project, pool: Pool, path: Path, name: str, how: Mapping[str, Any]) -> Import:
    job = pools.start_import(pool=pool, content=path, file_name=name, by=owner_of(project), **how)
    with progress_bar(name) as watch:
        imports.run_import(job=job, watch=watch)
    return job


def _sentence(jobs: Sequence[Import], refused: Sequence[str]) -> str:
    if not jobs:
        return " ".join(refused)
    names = ", ".join(job.file_name for job in jobs)
    return f"{' '.join(refused)} What else was given is read in: {names}."


def _outcome(jobs: Sequence[Import]) -> dict[str, Any]:
    """Return the sums over all files, and each file's own figures."""
    summaries = [pools.summary(job) for job in jobs]
    sums = {key: sum(summary[key] for summary in summaries) for key in COUNTED}
    reasons = [reason | {"file": job.file_name} for job in jobs for reason in pools.reasons(job)]
    files = [
        {"import": job.pk, "file": job.file_name, **summary}
        for job, summary in zip(jobs, summaries, strict=True)
    ]
    return {"import": jobs[0].pk, **sums, "reasons": reasons, "files": files}
