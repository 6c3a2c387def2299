"""A setting that cannot be used stops the start with one sentence; a public site needs its secrets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = {
    "QIANTI_PUBLIC_URL": "https://qianti.example",
    "QIANTI_SECRET_KEY": "7Qm-" * 20 + "abcdefghij",
    "QIANTI_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "QIANTI_EMAIL_URL": "smtp://mail.example:25",
}


@pytest.fixture
def start(tmp_path):
    """Return what starts Django's command in an environment of its own."""

    def start(*words, **environment):
        # What the tests themselves set is no part of it: the browser's fixture allows what a site must not.
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("QIANTI_", "DJANGO_"))
        }
        home = {"QIANTI_HOME": str(tmp_path / "home")}
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env={**kept, **home, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return start


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"QIANTI_PUBLIC_URL": "http://qianti.example"},
            "QIANTI_PUBLIC_URL='http://qianti.example' is no https",
        ),
        ({"QIANTI_PUBLIC_URL": "qianti.example"}, "QIANTI_PUBLIC_URL='qianti.example' is no https address"),
        ({"QIANTI_PUBLIC_URL": "https://"}, "QIANTI_PUBLIC_URL='https://' is no https address"),
        ({"QIANTI_PUBLIC_URL": "https://["}, "QIANTI_PUBLIC_URL='https://[' is no https address"),
        ({"QIANTI_DEBUG": "perhaps"}, "QIANTI_DEBUG='perhaps' cannot be used"),
        ({"QIANTI_MAX_UPLOAD_BYTES": "2 GB"}, "QIANTI_MAX_UPLOAD_BYTES='2 GB' cannot be used"),
        ({"QIANTI_MAX_UPLOAD_BYTES": "-1"}, "QIANTI_MAX_UPLOAD_BYTES='-1' cannot be used"),
        ({"QIANTI_JOB_SILENCE_SECONDS": "long"}, "QIANTI_JOB_SILENCE_SECONDS='long' cannot be used"),
        ({"QIANTI_JOB_SILENCE_SECONDS": "0"}, "QIANTI_JOB_SILENCE_SECONDS='0' cannot be used"),
        ({"QIANTI_TIME_ZONE": "Mars/Olympus"}, "QIANTI_TIME_ZONE='Mars/Olympus' cannot be used"),
        ({"QIANTI_LOG_LEVEL": "LOUD"}, "QIANTI_LOG_LEVEL='LOUD' cannot be used"),
        ({"QIANTI_EMAIL_URL": "carrier-pigeon://"}, "QIANTI_EMAIL_URL begins with no way to send mail"),
        ({"QIANTI_ENCRYPTION_KEYS": "short"}, "QIANTI_ENCRYPTION_KEYS"),
        ({"DATABASE_URL": "sqlite:///db.sqlite3"}, "DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "mysql://root@localhost/x"}, "DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "postgresql://localhost:many/x"}, "DATABASE_URL"),
        ({"REDIS_URL": "amqp://localhost"}, "REDIS_URL must begin with redis://, rediss:// or unix://"),
    ],
)
def test_a_value_that_cannot_be_used_stops_the_start_with_one_sentence(start, environment, sentence):
    ended = start("diffsettings", **environment)

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"qianti: {sentence}")
    assert ended.stderr.count("\n") == 1


def test_a_sentence_about_a_secret_does_not_tell_it(start):
    ended = start("diffsettings", QIANTI_ENCRYPTION_KEYS="my-short-secret")

    assert ended.returncode == 1
    assert "my-short-secret" not in ended.stderr


@pytest.mark.parametrize("missing", ["QIANTI_SECRET_KEY", "QIANTI_ENCRYPTION_KEYS"])
def test_a_public_site_without_a_secret_does_not_start(start, missing):
    environment = {name: value for name, value in PUBLIC.items() if name != missing}

    ended = start("diffsettings", **environment)

    assert ended.returncode == 1
    assert ended.stderr == f"qianti: {missing} is not set; a public site (QIANTI_PUBLIC_URL) needs it\n"


def test_a_machine_of_one_s_own_makes_its_secrets_once_and_keeps_them_to_itself(start, tmp_path):
    shown = [start("diffsettings").stdout for _time in range(2)]

    assert shown[0] == shown[1]
    for name in ("secret_key", "encryption_key"):
        path = tmp_path / "home" / name
        assert path.read_text() in shown[0]
        assert path.stat().st_mode & 0o077 == 0


def test_a_secret_file_that_was_left_empty_is_written_again(start, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "secret_key").touch()

    ended = start("diffsettings")

    assert ended.returncode == 0
    assert (tmp_path / "home" / "secret_key").read_text()


def test_a_home_that_cannot_be_written_is_named(start, tmp_path):
    (tmp_path / "a file").write_text("")

    ended = start("diffsettings", QIANTI_HOME=str(tmp_path / "a file"))

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"qianti: {tmp_path / 'a file'}")
    assert "name another folder in QIANTI_HOME" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_production_settings_pass_the_check_for_deployment(start):
    ended = start("check", "--deploy", "--fail-level", "WARNING", **PUBLIC)

    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert "no issues" in ended.stdout


def test_a_public_site_is_https_alone_and_keeps_to_the_public_network(start):
    shown = start("diffsettings", **PUBLIC).stdout

    assert "ALLOWED_HOSTS = ['qianti.example']" in shown
    for line in (
        "ALLOW_PRIVATE_ENDPOINTS = False",
        "SECURE_SSL_REDIRECT = True",
        "SESSION_COOKIE_SECURE = True",
        "CSRF_COOKIE_SECURE = True",
    ):
        assert line in shown
