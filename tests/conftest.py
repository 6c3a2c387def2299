"""Fixtures that hand out makers, on a PostgreSQL and a Redis of the tests' own."""

import os
import tempfile
from pathlib import Path

# A home of its own, so that tests and a running site never meet; the workers share its servers.
os.environ["QIANTI_HOME"] = str(Path(tempfile.gettempdir()) / f"qianti-tests-{os.getuid()}")
os.environ.pop("DATABASE_URL", None)
os.environ.pop("REDIS_URL", None)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config import embedded

embedded.start()

from collections.abc import Callable  # noqa: E402
from itertools import count  # noqa: E402
from typing import Any  # noqa: E402

import pytest  # noqa: E402

from common.access import Role  # noqa: E402

SHARED_POOLS = Path(__file__).resolve().parents[2] / "shared" / "data"
_number = count(1)


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    """Uploads and job folders of one test are not those of another."""
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.JOBS_ROOT = tmp_path / "jobs"


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
        return User.objects.create_user(
            email or f"person{next(_number)}@school.example", "long-enough-1", **fields
        )

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
