"""Home, projects, members and the pages that say what went wrong, as a browser sees them."""

from decimal import Decimal

import pytest
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone

from common import views
from common.access import Role
from common.loop import steps_of
from common.models import Membership, Project
from config.urls import urlpatterns
from curator.models import Collection

pytestmark = pytest.mark.django_db


def _break(request):
    raise RuntimeError("a bug")


class BrokenSite:
    """The site with one page that breaks."""

    urlpatterns = [*urlpatterns, path("broken/", views.login_not_required(_break))]
    handler403, handler404, handler500 = (
        "common.views.forbidden",
        "common.views.not_found",
        "common.views.broken",
    )


def test_a_stranger_reads_what_qianti_is_and_how_to_sign_in(client):
    response = client.get("/")

    assert response.status_code == 200
    assert "/accounts/login/" in response.text


def test_a_stranger_is_led_to_sign_in_from_any_other_page(client, make_project):
    response = client.get(make_project().get_absolute_url())

    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


@pytest.mark.parametrize("name", ["login", "signup", "password/reset"])
def test_the_pages_before_signing_in_wear_our_look(client, name):
    response = client.get(f"/accounts/{name}/")

    assert response.status_code == 200
    assert "app.css" in response.text


@pytest.mark.parametrize("name", ["email", "password/change", "logout", "reauthenticate"])
def test_the_pages_of_an_account_wear_our_look(client, make_user, name):
    client.force_login(make_user())

    response = client.get(f"/accounts/{name}/")

    assert "app.css" in response.text


def test_home_shows_a_member_only_the_projects_of_that_member(client, make_user, make_project):
    person = make_user()
    make_project(name="Company law", owner=person)
    make_project(name="Thermodynamics")
    client.force_login(person)

    response = client.get("/")

    assert "Company law" in response.text
    assert "Thermodynamics" not in response.text


def test_home_asks_as_often_for_ten_projects_as_for_one(
    client, make_user, make_project, django_assert_num_queries
):
    person = make_user()
    make_project(owner=person)
    client.force_login(person)
    with django_assert_num_queries(4):
        client.get("/")
    for _number in range(9):
        make_project(owner=person)

    with django_assert_num_queries(4):
        client.get("/")


def test_whoever_makes_a_project_owns_it(client, make_user):
    person = make_user()
    client.force_login(person)

    response = client.post("/projects/new/", {"name": "公司法", "slug": "company-law", "languages": ["zh"]})

    made = Project.objects.get(slug="company-law")
    assert response.url == made.get_absolute_url()
    assert made.languages == ["zh"]
    assert Membership.objects.get(project=made).user == person


def test_a_short_name_that_is_taken_is_refused_beside_the_form(client, make_user, make_project):
    make_project(slug="law")
    client.force_login(make_user())

    response = client.post("/projects/new/", {"name": "Law", "slug": "law"})

    assert response.status_code == 200
    assert "There is a project" in response.text


def test_the_steps_of_a_project_say_what_is_there_and_what_comes_next(make_question):
    question = make_question()

    steps = steps_of([question.project])[question.project_id]

    assert [(step.stage.name, step.state) for step in steps[:3]] == [
        ("pools", "done"),
        ("traces", "next"),
        ("selection", "waiting"),
    ]
    assert steps[0].counted == "1 question"


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (["failed"], "failed"),
        (["failed", "succeeded"], "next"),
        (["failed", "paused"], "failed"),
        (["paused"], "next"),
        (["succeeded", "failed", "queued"], "active"),
    ],
)
def test_one_failure_beside_what_went_well_does_not_fail_a_step(make_question, make_teacher, states, shown):
    project = make_question().project
    teacher, now = make_teacher(project), timezone.now()
    for state in states:
        ended = {"finished_at": now} if state in ("failed", "succeeded") else {}
        Collection.objects.create(
            project=project, teacher=teacher, state=state, failure="No." if state == "failed" else "", **ended
        )

    traces = steps_of([project])[project.pk][1]

    assert (traces.stage.name, traces.state) == ("traces", shown)


def test_a_viewer_is_given_no_link_to_the_material(client, make_project, make_member):
    project = make_project()
    client.force_login(make_member(project, Role.VIEWER))

    response = client.get(project.get_absolute_url())

    assert response.status_code == 200
    assert f"/projects/{project.slug}/pools/" not in response.text
    assert f"/projects/{project.slug}/results/" in response.text


def test_only_an_owner_reaches_the_settings(client, make_project, make_member):
    project = make_project()
    client.force_login(make_member(project, Role.CURATOR))

    response = client.get(f"/projects/{project.slug}/settings/")

    assert response.status_code == 403
    assert "app.css" in response.text


def test_an_owner_changes_the_money_limit(client, make_project, make_member):
    project = make_project()
    client.force_login(make_member(project, Role.OWNER))

    client.post(f"/projects/{project.slug}/settings/", {"name": "Law", "money_limit_usd": "12.50"})

    project.refresh_from_db()
    assert project.money_limit_usd == Decimal("12.50")


def test_a_person_without_an_account_cannot_be_added(client, make_project, make_member):
    project = make_project()
    client.force_login(make_member(project, Role.OWNER))

    response = client.post(
        f"/projects/{project.slug}/members/", {"email": "nobody@school.example", "role": "reviewer"}
    )

    assert "Nobody signs in with nobody@school.example" in response.text


def test_a_member_is_added_changed_and_removed(client, make_user, make_project, make_member):
    project, colleague = make_project(), make_user()
    client.force_login(make_member(project, Role.OWNER))

    client.post(f"/projects/{project.slug}/members/", {"email": colleague.email, "role": "reviewer"})
    member = Membership.objects.get(project=project, user=colleague)
    client.post(f"/projects/{project.slug}/members/{member.pk}/role/", {"role": "curator"})
    member.refresh_from_db()
    assert member.role == Role.CURATOR
    confirmation = client.get(f"/projects/{project.slug}/members/{member.pk}/remove/")
    assert Membership.objects.filter(pk=member.pk).exists()
    client.post(f"/projects/{project.slug}/members/{member.pk}/remove/")

    assert colleague.email in confirmation.text
    assert not Membership.objects.filter(pk=member.pk).exists()


def test_the_last_owner_cannot_leave(client, make_user, make_project):
    owner = make_user()
    project = make_project(owner=owner)
    client.force_login(owner)
    member = Membership.objects.get(project=project)

    response = client.post(f"/projects/{project.slug}/members/{member.pk}/remove/", follow=True)

    assert "A project needs an owner" in response.text
    assert Membership.objects.filter(pk=member.pk).exists()


def test_a_member_of_one_project_is_not_changed_through_another(client, make_user, make_project, make_member):
    owner = make_user()
    mine, theirs = make_project(owner=owner), make_project()
    stranger = make_member(theirs, Role.CURATOR)
    member = Membership.objects.get(project=theirs, user=stranger)
    client.force_login(owner)

    response = client.post(f"/projects/{mine.slug}/members/{member.pk}/role/", {"role": "viewer"})

    assert response.status_code == 404
    member.refresh_from_db()
    assert member.role == Role.CURATOR


def test_a_wrong_address_leads_back_home(client, make_user):
    client.force_login(make_user())

    response = client.get("/nowhere/")

    assert response.status_code == 404
    assert "There is no such page" in response.text


@override_settings(ROOT_URLCONF=BrokenSite)
def test_a_page_that_breaks_says_so_without_asking_the_database(django_assert_num_queries):
    client = Client(raise_request_exception=False)

    with django_assert_num_queries(0):
        response = client.get("/broken/")

    assert response.status_code == 500
    assert "Something broke" in response.text


def test_the_language_is_switched_by_a_form(client):
    response = client.post("/i18n/setlang/", {"language": "zh-hans", "next": "/"}, follow=True)

    assert '<html lang="zh-Hans">' in response.text


def test_no_page_runs_a_script_of_its_own_text(client, make_project, make_member):
    project = make_project()
    client.force_login(make_member(project, Role.OWNER))

    response = client.get(project.get_absolute_url())

    assert " onclick=" not in response.text
    assert "<script>" not in response.text
    assert (
        "script-src" in response["Content-Security-Policy"]
        or "default-src 'self'" in response["Content-Security-Policy"]
    )
