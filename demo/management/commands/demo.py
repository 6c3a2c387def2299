"""`manage.py demo [--no-serve]`: the demo without the set-up."""

from argparse import ArgumentParser
from contextlib import ExitStack
from typing import Any

from django.core.management import call_command

from common.commands import StageCommand, progress_bar
from demo import services


class Command(StageCommand):
    """Run the whole loop on the built-in field, then serve the site."""

    help = "Run the whole loop on the built-in field, then serve the site; a second call shows what is there."

    def arguments(self, parser: ArgumentParser) -> None:
        default = services.Sizes()
        parser.add_argument("--no-serve", action="store_true", help="stop before serving")
        parser.add_argument("--pool", type=int, default=default.pool, help="questions in the pools")
        parser.add_argument("--size", type=int, default=default.selection, help="questions to select")
        parser.add_argument(
            "--per-cell", type=int, default=default.benchmark_per_cell, help="benchmark items a cell"
        )
        parser.add_argument("--epochs", type=int, default=default.epochs)
        parser.add_argument("--arms", nargs="*", default=list(default.arms), choices=list(services.ARMS))
        parser.add_argument("--port", type=int, default=8000)

    def carry_out(self, **options: Any) -> dict[str, Any]:
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        sizes = services.Sizes(
            pool=options["pool"],
            selection=options["size"],
            benchmark_per_cell=options["per_cell"],
            epochs=options["epochs"],
            arms=tuple(options["arms"]),
        )
        with ExitStack() as stack:
            address = stack.enter_context(services.endpoint())
            outcome = services.run(sizes=sizes, bar=progress_bar, say=self.stderr.write, address=address)
            if not options["no_serve"]:
                self.stderr.write(services.report(outcome))
                self.stderr.write(f"Sign in as {services.OWNER} with the password {services.password()}")
                call_command("serve", port=options["port"])
        return outcome
