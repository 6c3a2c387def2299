"""The local backend: a program is started once, followed by its files, and stopped on request."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from training.backends import end, local, record

PROGRAM = """
import json, pathlib, sys, time

folder = pathlib.Path(sys.argv[1])
with (folder / "starts.txt").open("a") as file:
    file.write("x")
print("it begins 开始", flush=True)
deaf = (folder / "deaf").exists()
while not (folder / "end").exists() and (deaf or not (folder / "STOP").exists()):
    time.sleep(0.01)
state = "succeeded" if (folder / "end").exists() else "cancelled"
(folder / "result.json").write_text(json.dumps({"state": state}))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a job folder, whose program is killed at the end of the test if it still runs."""
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "waiting_program.py").write_text(PROGRAM, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "programs"))
    made = tmp_path / "job"
    made.mkdir()
    yield made
    if local.follow(made):
        os.killpg(pid_of(made), signal.SIGKILL)
        wait_until(lambda: not local.follow(made))


def pid_of(folder):
    return json.loads((folder / "pid.json").read_text())["pid"]


def wait_until(happened, seconds=20):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def has_begun(folder):
    starts = folder / "starts.txt"
    return starts.exists() and starts.stat().st_size > 0


def start(folder):
    local.submit("waiting_program", folder)
    wait_until(lambda: has_begun(folder))


def test_a_program_that_runs_is_not_started_twice(folder):
    start(folder)
    first = pid_of(folder)

    local.submit("waiting_program", folder)
    local.submit("waiting_program", folder)

    assert local.follow(folder)
    assert pid_of(folder) == first
    assert (folder / "starts.txt").read_text() == "x"


def test_a_program_whose_starter_died_before_it_could_be_followed_is_known_and_alone(folder):
    begin = [sys.executable, "-m", "training.backends.begin", "waiting_program", str(folder)]
    orphan = subprocess.Popen(begin, cwd=local.ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    wait_until(lambda: has_begun(folder))

    local.submit("waiting_program", folder)
    second = subprocess.run(begin, cwd=local.ROOT, capture_output=True, text=True, check=False)

    assert local.follow(folder)
    assert pid_of(folder) == orphan.pid
    assert second.returncode == 1
    assert f"A program works in {folder} already; this one ends." in second.stderr
    assert (folder / "starts.txt").read_text() == "x"
    end(local, folder)
    orphan.wait()


def test_of_many_orders_at_once_one_program_comes(folder):
    starter = (
        "import sys; from pathlib import Path; from training.backends import local;"
        "local.submit('waiting_program', Path(sys.argv[1]))"
    )
    starters = [
        subprocess.Popen([sys.executable, "-c", starter, str(folder)], cwd=local.ROOT) for _number in range(5)
    ]

    assert [each.wait(timeout=60) for each in starters] == [0] * 5

    wait_until(lambda: has_begun(folder))
    assert local.follow(folder)
    assert (folder / "starts.txt").read_text() == "x"


def test_a_program_that_has_succeeded_is_not_started_again(folder):
    start(folder)
    (folder / "end").touch()
    wait_until(lambda: not local.follow(folder))

    local.submit("waiting_program", folder)

    assert not local.follow(folder)
    assert record.read_result(folder) == {"state": "succeeded"}
    assert (folder / "starts.txt").read_text() == "x"


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_program_that_has_failed_is_started_again_without_its_old_result(folder, state):
    (folder / "result.json").write_text(json.dumps({"state": state, "failure": "the disk was full"}))

    start(folder)

    assert local.follow(folder)
    assert record.read_result(folder) is None


def test_a_program_outlives_whoever_started_it(folder):
    starter = (
        "import sys; from pathlib import Path; from training.backends import local;"
        "local.submit('waiting_program', Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", starter, str(folder)], cwd=local.ROOT, check=True)

    wait_until(lambda: has_begun(folder))

    assert local.follow(folder)
    assert os.getpgid(pid_of(folder)) == pid_of(folder)


def test_a_program_that_was_killed_is_not_alive(folder):
    start(folder)

    os.kill(pid_of(folder), signal.SIGKILL)
    wait_until(lambda: not local.follow(folder))

    assert record.read_result(folder) is None


def test_a_folder_in_which_nothing_was_started_holds_nothing(folder):
    assert not local.follow(folder)
    assert record.read_result(folder) is None
    assert record.read_progress(folder, 0) == ([], 0)


def test_another_process_with_the_same_number_is_not_taken_for_the_program(folder):
    stranger = os.getpid()  # lives, but began at another time
    (folder / "pid.json").write_text(json.dumps({"pid": stranger, "began": "1"}))

    assert not local.follow(folder)


def test_a_recycled_number_does_not_keep_a_program_from_starting(folder):
    (folder / "pid.json").write_text(json.dumps({"pid": os.getpid(), "began": "1"}))

    start(folder)

    assert local.follow(folder)
    assert pid_of(folder) != os.getpid()


def test_a_number_that_nobody_has_is_not_alive(folder):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (folder / "pid.json").write_text(json.dumps({"pid": ended.pid, "began": None}))

    assert not local.follow(folder)


def test_a_program_is_asked_to_stop_before_it_is_killed(folder):
    start(folder)

    end(local, folder)

    assert not local.follow(folder)
    assert record.read_result(folder) == {"state": "cancelled"}


def test_a_program_that_does_not_stop_is_killed(folder, monkeypatch):
    monkeypatch.setattr(local, "STOP_SECONDS", 0.5)
    (folder / "deaf").touch()
    start(folder)

    end(local, folder)

    wait_until(lambda: not local.follow(folder))
    assert record.read_result(folder) is None


def test_a_cancel_leaves_a_stranger_with_the_program_s_number_alone(folder, monkeypatch):
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    (folder / "pid.json").write_text(json.dumps({"pid": stranger.pid, "began": "1"}))

    end(local, folder)

    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_what_a_program_prints_is_its_log(folder):
    start(folder)

    wait_until(lambda: (folder / "log.txt").read_text(encoding="utf-8") == "it begins 开始\n")


def test_progress_is_read_from_where_the_last_reading_ended(folder):
    progress = folder / "progress.jsonl"
    progress.write_text('{"done": 1}\n{"done": 2}\n')

    first, offset = record.read_progress(folder, 0)
    with progress.open("a") as file:
        file.write('{"done": 3}\n')
    second, end = record.read_progress(folder, offset)

    assert (first, second) == ([{"done": 1}, {"done": 2}], [{"done": 3}])
    assert end == progress.stat().st_size
    assert record.read_progress(folder, end) == ([], end)


@pytest.mark.parametrize("torn", ['{"do', '{"done": 2}', '{"phase": "训'])
def test_a_torn_progress_line_waits_for_its_end(folder, torn):
    progress, whole = folder / "progress.jsonl", b'{"done": 1}\n'
    progress.write_bytes(whole + torn.encode()[:-1])

    lines, offset = record.read_progress(folder, 0)

    assert (lines, offset) == ([{"done": 1}], len(whole))
    progress.write_bytes(whole + b'{"done": 9}\n')
    assert record.read_progress(folder, offset)[0] == [{"done": 9}]


def test_a_line_that_a_killed_program_left_torn_does_not_hide_those_of_the_next(folder):
    progress = folder / "progress.jsonl"
    progress.write_text('{"done": 1}\n{"do')
    _lines, offset = record.read_progress(folder, 0)

    start(folder)
    with progress.open("a") as file:
        file.write('{"done": 2}\n')

    assert record.read_progress(folder, offset)[0] == [{"done": 2}]
    assert record.read_progress(folder, 0)[0] == [{"done": 1}, {"done": 2}]
