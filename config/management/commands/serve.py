"""`manage.py serve`: web, workers and the embedded services in the foreground; one Ctrl-C stops all."""

import os
import signal
import socket
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from common.jobs import JobState
from training.backends import local

STOP_SECONDS = 15
POLL_SECONDS = 0.5
WEB = ("--threads", "8", "--log-level", "warning")
WORKER = ("-B", "-Q", "cpu,gpu", "--concurrency", "2", "-l", "warning")


class Command(BaseCommand):
    """Serve the site on this machine."""

    help = "Serve the site on this machine: web, workers, PostgreSQL and Redis; Ctrl-C stops all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")

    def handle(self, *_args: Any, **options: Any) -> None:
        host, port = options["host"], free_port(options["host"], options["port"])
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        children = start_children(host, port)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            self.stdout.write(f"Qianti is at http://{host}:{port}/ (Ctrl-C stops it)")
            self.stdout.flush()
            watch(children)
        except KeyboardInterrupt:
            self.stdout.write("stopping")
        finally:
            stop(children)
            stop_programs()


def free_port(host: str, wanted: int) -> int:
    """Return a port that can be had: the one wanted, or any where 0 is asked.

    Raises:
        CommandError: it is taken.
    """
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, wanted))
        except OSError as error:
            raise CommandError(
                f"Port {wanted} on {host} cannot be had ({error.strerror}); stop what uses it, or give --port 0."
            ) from error
        return int(trial.getsockname()[1])


def start_children(host: str, port: int) -> "dict[str, subprocess.Popen[bytes]]":
    """Start the web server and the worker, each in a group of its own, so that Ctrl-C reaches us alone."""
    # Celery advises against root at every start; on one's own machine that is said once, in the README.
    python = [sys.executable, "-W", "ignore:You're running the worker with superuser privileges", "-m"]
    commands = {
        "web": [*python, "gunicorn", "config.wsgi", "--bind", f"{host}:{port}", *WEB],
        "worker": [*python, "celery", "--quiet", "-A", "config", "worker", *WORKER],
    }
    children_environment = {**os.environ, "PYTHONUNBUFFERED": "1", "C_FORCE_ROOT": "1"}
    return {
        name: subprocess.Popen(command, env=children_environment, start_new_session=True)
        for name, command in commands.items()
    }


def watch(children: "dict[str, subprocess.Popen[bytes]]") -> None:
    """Wait until a child ends, which none should.

    Raises:
        CommandError: one ended.
    """
    while True:
        for name, child in children.items():
            if child.poll() is not None:
                raise CommandError(
                    f"The {name} ended with status {child.returncode}; what it said stands above."
                )
        sleep(POLL_SECONDS)


def stop(children: "dict[str, subprocess.Popen[bytes]]") -> None:
    """End the children, gently first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = monotonic() + STOP_SECONDS
    for child in children.values():
        try:
            child.wait(max(0.1, deadline - monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def stop_programs() -> None:
    """Stop the training and evaluation programs that nobody follows any more.

    They save what they have; their jobs fall silent, and go on from there at the next start.
    """
    for kind in ("training.Run", "evaluation.Evaluation"):
        for job in apps.get_model(kind).objects.filter(state=JobState.RUNNING).exclude(folder=""):
            follower = int(job.worker.rpartition(":")[2])
            if not Path(f"/proc/{follower}").exists() and local.is_alive(Path(job.folder)):
                local.cancel(Path(job.folder))
