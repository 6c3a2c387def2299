"""The shape holds: import contracts, migrations, and that every table of a project knows its way to it."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from common.access import MemberQuerySet, Right

ROOT = Path(__file__).resolve().parents[1]
OURS = ("common", "curator", "training", "evaluation")


def test_the_import_contracts_hold():
    finished = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert finished.returncode == 0, finished.stdout[-3000:]


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, stdout=io.StringIO())


def tables_of_projects():
    models = [model for app in OURS for model in apps.get_app_config(app).get_models()]
    return [model for model in models if model._meta.label != "common.User"]


@pytest.mark.parametrize("model", tables_of_projects(), ids=lambda model: model._meta.label)
def test_every_table_is_read_through_membership(model, db, make_user):
    rows = model._default_manager

    assert isinstance(rows.all(), MemberQuerySet)
    assert {model.see_right, model.edit_right} <= set(Right)
    assert not rows.visible_to(make_user()).exists()
