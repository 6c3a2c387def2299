"""`python -m tests.bench [--only NAME] [--scale 0.1] [--json]`: every promise about speed, with its ratio."""

import argparse
import atexit
import json
import os
import pkgutil
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import asdict
from importlib import import_module
from typing import Any

from rich.console import Console
from rich.table import Table

import tests.bench
from tests.bench.figures import Figure

PARTS_OF_THE_FRAME = {"__main__", "commands", "figures", "material", "traced"}


def main() -> int:
    """Measure, print, and return 1 where a promise is broken."""
    options = _options()
    _start()
    figures: list[Figure] = []
    for name in options.only or _names():
        module = import_module(f"tests.bench.{name}")
        sys.stderr.write(f"== {module.NAME}\n")
        with redirect_stdout(sys.stderr):
            figures += module.run(options.scale)
    if options.json:
        sys.stdout.write(json.dumps({"scale": options.scale, "figures": list(map(asdict, figures))}) + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(_table(figures))
    return int(any(each.kept is False for each in figures))


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=_names(), metavar="NAME", help=", ".join(_names()))
    parser.add_argument(
        "--scale", type=float, default=1.0, help="1: as many questions as the real pools have"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def _names() -> list[str]:
    found = {module.name for module in pkgutil.iter_modules(tests.bench.__path__)}
    return sorted(found - PARTS_OF_THE_FRAME)


def _start() -> None:
    """Start a database and a broker of the benchmark's own, with every table and no row."""
    home = tempfile.mkdtemp(prefix="qianti-bench-")
    # Before the servers ask for the same: what is registered last is done first, and they must be gone.
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in ("DATABASE_URL", "REDIS_URL", "QIANTI_PUBLIC_URL"):
        os.environ.pop(name, None)
    os.environ |= {"QIANTI_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings"}
    from config import embedded

    embedded.start()
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _table(figures: list[Figure]) -> Table:
    table = Table("what", "seconds", "baseline", "seconds", "ratio", "promised", "", "note")
    for each in figures:
        kept = {None: "", True: "[green]kept", False: "[red]broken"}[each.kept]
        beside = "" if each.baseline_seconds is None else f"{each.baseline_seconds:.3f}"
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        table.add_row(
            each.name, f"{each.seconds:.3f}", each.baseline, beside, ratio, each.limit, kept, each.note
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
