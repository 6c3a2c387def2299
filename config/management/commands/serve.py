"""`manage.py serve`: web, workers and the embedded services in the foreground; one Ctrl-C stops all."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from common.jobs import JobState
from training.backends import end, local

STOP_SECONDS = 15
POLL_SECONDS = 0.5
LEAST_LIFE_SECONDS = 5.0
SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
WEB = ("--threads", "8", "--log-level", "warning")
WORKER = ("-B", "-Q", "cpu,gpu", "--concurrency", "2", "-l", "warning")
# Many orders at once, which mostly wait.
ASKERS = ("-n", "asking@%h", "-Q", "net", "--autoscale", "12,1", "-l", "warning")


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
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
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


class Child:
    """A process of the site: started again when it dies, ended when we do."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self.command = name, command
        self.start()

    def start(self) -> None:
        """Start it in a group of its own, so that Ctrl-C reaches us alone."""
        self.began = monotonic()
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "C_FORCE_ROOT": "1"},
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - we have one thread
        )

    def sweep_up(self) -> None:
        """End what a killed process left behind in its group, such as the worker's clock."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def end_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies, so that a killed parent leaves no port taken."""
    ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def start_children(host: str, port: int) -> list[Child]:
    """Start the web server, the worker, and the one that asks endpoints."""
    # Celery advises against root at every start; on one's own machine that is said once, in the README.
    python = [sys.executable, "-W", "ignore:You're running the worker with superuser privileges", "-m"]
    return [
        Child("web", [*python, "gunicorn", "config.wsgi", "--bind", f"{host}:{port}", *WEB]),
        Child("worker", [*python, "celery", "--quiet", "-A", "config", "worker", *WORKER]),
        Child("asking worker", [*python, "celery", "--quiet", "-A", "config", "worker", *ASKERS]),
    ]


def watch(children: list[Child]) -> None:
    """Start again whatever dies, until we are stopped.

    Raises:
        CommandError: a child ends as soon as it is started.
    """
    while True:
        for child in children:
            status = child.process.poll()
            if status is None:
                continue
            if monotonic() - child.began < LEAST_LIFE_SECONDS:
                raise CommandError(f"The {child.name} ended with status {status}; what it said stands above.")
            sys.stderr.write(f"The {child.name} ended with status {status}; starting it again.\n")
            child.sweep_up()
            child.start()
        sleep(POLL_SECONDS)


def stop(children: list[Child]) -> None:
    """End the children, gently first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running = [child.process for child in children]
    for process in running:
        if process.poll() is None:
            process.terminate()
    deadline = monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    for child in children:
        child.sweep_up()


def stop_programs() -> None:
    """Stop the training and evaluation programs that nobody follows any more.

    They save what they have; their jobs fall silent, and go on from there at the next start.
    """
    for kind in ("training.Run", "evaluation.Evaluation"):
        for job in apps.get_model(kind).objects.filter(state=JobState.RUNNING).exclude(folder=""):
            follower = int(job.worker.rpartition(":")[2])
            if not Path(f"/proc/{follower}").exists() and local.follow(Path(job.folder)):
                end(local, Path(job.folder))
