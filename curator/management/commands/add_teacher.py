"""`manage.py add_teacher SLUG --name NAME --preset deepseek [--model …] [--key-env NAME | --key-stdin] …`."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from decimal import Decimal, InvalidOperation
from typing import Any

from common.commands import StageCommand, named_project
from common.core.refusal import Refusal
from curator.core.presets import PRESETS
from curator.models import Assistant, Endpoint, Solver, Teacher
from curator.services import endpoints


def usd(text: str) -> Decimal:
    """Return a sum as it was typed."""
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ArgumentTypeError(f"{text!r} is no number") from error


KINDS: dict[str, type[Endpoint]] = {"teacher": Teacher, "solver": Solver, "assistant": Assistant}
# Each option that goes before what a preset fills in, with the field that it sets.
_FIELDS = {
    "base_url": str,
    "price_in": usd,
    "price_out": usd,
    "max_tokens": int,
    "max_in_flight": int,
    "requests_per_minute": int,
    "tokens_per_minute": int,
    "money_limit": usd,
    "temperature": float,
    "terms": str,
}
_NAMES = {"price_in": "price_in_usd", "price_out": "price_out_usd", "money_limit": "money_limit_usd"}


class Command(StageCommand):
    """Make a teacher known; its key comes from the environment or from stdin, never from the command line."""

    help = (
        "Make a teacher (or a solver, or an assistant) known, from a preset or by hand. Nothing is asked yet."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", required=True)
        parser.add_argument("--kind", choices=KINDS, default="teacher")
        parser.add_argument("--preset", choices=[preset.key for preset in PRESETS])
        parser.add_argument("--model", default="", help="its name at that address")
        for option, kind in _FIELDS.items():
            parser.add_argument(f"--{option.replace('_', '-')}", type=kind)
        key = parser.add_mutually_exclusive_group()
        key.add_argument("--key-env", metavar="NAME", help="the environment variable that holds the key")
        key.add_argument("--key-stdin", action="store_true", help="read the key from the first line of stdin")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        project = named_project(options["slug"])
        given = {_NAMES.get(name, name): options[name] for name in _FIELDS if options.get(name) is not None}
        common = {
            "kind": KINDS[options["kind"]],
            "project": project,
            "name": options["name"],
            "model": options["model"],
            "key": _key(options),
        }
        if options["preset"]:
            made = endpoints.create_from_preset(preset=options["preset"], **common, **given)
        else:
            if options["base_url"] and not {"price_in_usd", "price_out_usd"} <= given.keys():
                raise Refusal(
                    "Give --price-in and --price-out in USD per million tokens; 0 for a server of your own."
                )
            made = endpoints.create_endpoint(**common, **given)
        self.stderr.write(made.terms or "Nothing is noted of what its provider's terms say about training.")
        return _outcome(made, options["kind"])


def _key(options: dict[str, Any]) -> str:
    if name := options["key_env"]:
        if not os.environ.get(name):
            raise Refusal(f"The environment variable {name} is not set, or empty; put the key into it.")
        return os.environ[name].strip()
    return sys.stdin.readline().strip() if options["key_stdin"] else ""


def _outcome(made: Any, kind: str) -> dict[str, Any]:
    return {
        kind: made.name,
        "base_url": made.base_url,
        "model": made.model,
        "price_in_usd": made.price_in_usd,
        "price_out_usd": made.price_out_usd,
        "thinking_form": made.thinking_form,
        "permits_training": made.permits_training,
        "terms": made.terms,
        "has_key": bool(made.encrypted_key),
    }
