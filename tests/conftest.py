"""Fixtures that hand out makers. What must be there before the settings are read stands in tests/services.py."""

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from common.access import Role

CHROMIUM = shutil.which("chromium")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "long-enough-1"
SHARED_POOLS = Path(__file__).resolve().parents[2] / "shared" / "data"
_number = count(1)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let go of what the last page of a browser still asked for, or the database could not be dropped."""
    from django.db import connection

    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    """Uploads and job folders of one test are not those of another."""
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.JOBS_ROOT = tmp_path / "jobs"
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # signing in is not what is tested


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """A page that one test reads in Chinese leaves the next one in English."""
    yield
    translation.deactivate()


@pytest.fixture
def real_pools() -> Path:
    """Return the folder of real question pools, which lies beside the project where there is one."""
    folder = Path(os.environ.get("QIANTI_REAL_POOLS", SHARED_POOLS))
    if not folder.exists():
        pytest.skip(f"the real question pools are not at {folder}")
    return folder


@pytest.fixture
def make_user(db: Any) -> Callable[..., Any]:
    """Return what makes people who can sign in."""
    from common.models import User

    def make(email: str = "", **fields: Any) -> User:
        return User.objects.create_user(email or f"person{next(_number)}@school.example", PASSWORD, **fields)

    return make


@pytest.fixture
def make_project(make_user: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes projects, each with an owner."""
    from common.models import Membership, Project

    def make(slug: str = "", owner: Any = None, **fields: Any) -> Project:
        slug = slug or f"field-{next(_number)}"
        project = Project.objects.create(slug=slug, name=fields.pop("name", slug), **fields)
        Membership.objects.create(project=project, user=owner or make_user(), role=Role.OWNER)
        return project

    return make


@pytest.fixture
def make_member(make_user: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes a person with a role in a project."""
    from common.models import Membership

    def make(project: Any, role: str) -> Any:
        user = make_user()
        Membership.objects.create(project=project, user=user, role=role)
        return user

    return make


@pytest.fixture
def make_caller(client: Any, make_member: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes programs that use the HTTP API with a token of a new member."""
    from common.models import Membership
    from common.services import make_token
    from tests.api import Caller

    def make(project: Any, role: str = Role.OWNER, scope: str = "write", user: Any = None) -> Caller:
        user = user or make_member(project, role)
        member = Membership.objects.get(project=project, user=user)
        _token, secret = make_token(membership=member, name=f"program {next(_number)}", scope=scope)
        return Caller(client, secret, user)

    return make


@pytest.fixture
def make_pool(make_project: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes pools."""
    from curator.models import Pool

    def make(project: Any = None, **fields: Any) -> Pool:
        name = fields.pop("name", f"pool {next(_number)}")
        return Pool.objects.create(project=project or make_project(), name=name, licence="CC0-1.0", **fields)

    return make


@pytest.fixture
def make_question(make_pool: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes questions with a key."""
    from curator.models import Question

    def make(pool: Any = None, **fields: Any) -> Question:
        pool = pool or make_pool()
        number = next(_number)
        given = {"text": f"How much is {number} and 1?", "key": str(number + 1), "language": "en"}
        return Question.objects.create(
            project=pool.project, pool=pool, content_hash=f"{number:064x}", **{**given, **fields}
        )

    return make


@pytest.fixture
def make_teacher(make_project: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes teachers; without an address they cannot be asked."""
    from curator.models import Teacher

    def make(project: Any = None, **fields: Any) -> Teacher:
        name = fields.pop("name", f"teacher {next(_number)}")
        return Teacher.objects.create(project=project or make_project(), name=name, **fields)

    return make


@pytest.fixture
def make_trace(make_question: Callable[..., Any], make_teacher: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes traces, each right unless said otherwise."""
    from curator.models import Trace

    def make(question: Any = None, teacher: Any = None, **fields: Any) -> Trace:
        question = question or make_question()
        teacher = teacher or make_teacher(question.project)
        given = {"thinking": "One step.", "answer": f"Final Answer: {question.key}", "thinking_tokens": 10}
        given |= {"verdict": "right", "finish_reason": "stop", "content_hash": f"{next(_number):064x}"}
        return Trace.objects.create(question=question, teacher=teacher, **{**given, **fields})

    return make


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return a chromium that is really there."""
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        pytest.skip("Debian's package chromium is not installed")
    # Playwright's loop lives in this thread to the end, and Django takes it for an asynchronous caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def console_errors() -> list[str]:
    """Return what the page's console has complained of; a test that wants an error takes it out."""
    return []


@pytest.fixture
def page(browser: Any, console_errors: list[str]) -> Iterator[Any]:
    """Return a page on which an error in the console fails the test."""
    opened = browser.new_page(locale="en-GB")
    errors = console_errors
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert errors == []


@pytest.fixture
def sign_in(page: Any, live_server: Any) -> Callable[..., None]:
    """Return what signs a person in through the page."""

    def enter(user: Any) -> None:
        page.goto(f"{live_server.url}/accounts/login/")
        page.locator("input[name=login]").fill(user.email)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main form button.primary").first.click()
        page.wait_for_url(f"{live_server.url}/")

    return enter
