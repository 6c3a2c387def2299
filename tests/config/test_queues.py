"""Which worker takes which task: none is left without one, and what waits for endpoints holds up nothing else."""

from pathlib import Path

import pytest
import yaml

from config.celery import app
from config.management.commands.serve import ASKERS, WORKER

ROOT = Path(__file__).resolve().parents[2]


def queue_of(task):
    return app.amqp.router.route({}, task)["queue"].name


def queues_of(arguments):
    return set(arguments[arguments.index("-Q") + 1].split(","))


@pytest.fixture(scope="module")
def tasks():
    app.loader.import_default_modules()
    return [name for name in app.tasks if not name.startswith("celery.")]


def test_every_task_has_a_worker_here_and_on_a_server(tasks):
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    on_a_server = [service["command"] for service in composed if "-Q" in service.get("command", ())]

    routed = {queue_of(task) for task in tasks}

    assert routed == {"cpu", "net", "gpu"}
    assert queues_of(WORKER) | queues_of(ASKERS) == routed
    assert set().union(*map(queues_of, on_a_server)) == routed


@pytest.mark.parametrize("task", ["run_collection", "run_trial", "run_grading"])
def test_what_waits_for_an_endpoint_holds_up_no_import(task):
    assert queue_of(f"curator.tasks.{task}") not in queues_of(WORKER)
    assert queue_of("curator.tasks.run_import") in queues_of(WORKER)
