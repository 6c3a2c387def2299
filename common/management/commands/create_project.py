"""`manage.py create_project SLUG --name … --owner EMAIL`."""

from argparse import ArgumentParser
from typing import Any

from common import services
from common.commands import StageCommand
from common.models import User


class Command(StageCommand):
    """Make a project, and its owner's account if there is none."""

    help = "Make a project with its first owner."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", required=True)
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--description", default="")
        parser.add_argument("--languages", nargs="*", default=["en", "zh"])

    def carry_out(self, **options: Any) -> dict[str, Any]:
        owner = User.objects.filter(email__iexact=options["owner"]).first()
        if is_new := owner is None:
            owner = User.objects.create_user(options["owner"])
        project = services.create_project(
            owner=owner,
            slug=options["slug"],
            name=options["name"],
            description=options["description"],
            languages=options["languages"],
        )
        outcome: dict[str, Any] = {"project": project.slug, "owner": owner.email}
        if is_new:
            outcome["note"] = (
                f"{owner.email} has no password yet; `manage.py changepassword {owner.email}` sets one"
            )
        return outcome
