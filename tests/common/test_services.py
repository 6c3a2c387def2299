"""Projects and members: who owns, who joins, and that no project is left without an owner."""

import pytest

from common import services
from common.access import Role
from common.core.refusal import Refusal
from common.models import Membership, Project


def test_who_makes_a_project_owns_it(make_user):
    teacher = make_user()

    project = services.create_project(owner=teacher, slug="physics", name="Physics 物理")

    assert Membership.objects.get(project=project).role == Role.OWNER


@pytest.mark.parametrize("slug", ["two words", "物理", "a/b", ""])
def test_a_short_name_that_is_no_address_is_refused(make_user, slug):
    with pytest.raises(Refusal, match="letters, digits and hyphens"):
        services.create_project(owner=make_user(), slug=slug, name="Physics")

    assert not Project.objects.exists()


def test_a_short_name_is_taken_once(make_project, make_user):
    make_project(slug="physics")

    with pytest.raises(Refusal, match="already"):
        services.create_project(owner=make_user(), slug="physics", name="Physics")


def test_a_member_is_added_by_address_whatever_its_case(make_project, make_user):
    project, colleague = make_project(), make_user("Li.Hua@School.example")

    member = services.add_member(project=project, email="li.hua@school.EXAMPLE", role="reviewer")

    assert member.user == colleague


def test_nobody_is_a_member_twice(make_project, make_member):
    project = make_project()
    colleague = make_member(project, Role.VIEWER)

    with pytest.raises(Refusal, match="member already"):
        services.add_member(project=project, email=colleague.email, role="curator")


@pytest.mark.parametrize(
    "leave",
    [services.remove_member, lambda membership: services.change_role(membership=membership, role="viewer")],
)
def test_the_last_owner_stays(make_project, leave):
    owner = Membership.objects.get(project=make_project())

    with pytest.raises(Refusal, match="needs an owner"):
        leave(membership=owner)

    owner.refresh_from_db()
    assert owner.role == Role.OWNER
