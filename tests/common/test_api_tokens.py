"""Tokens: their page, and what opens the API and what does not."""

import logging
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from common import services
from common.access import Role
from common.core.bearer import PREFIX, hash_of
from common.core.refusal import Refusal
from common.models import ApiToken, Membership
from common.services import MOST_TOKENS, make_token, note_use, remove_member, revoke_token


@pytest.fixture
def project(make_project):
    return make_project()


@pytest.fixture
def person(project, make_member):
    return make_member(project, Role.REVIEWER)


@pytest.fixture
def member(project, person):
    return Membership.objects.get(project=project, user=person)


@pytest.fixture
def page(project):
    return reverse("tokens", args=[project.slug])


def asked(client, secret, way="Bearer "):
    return client.get("/api/v1/token", headers={"Authorization": f"{way}{secret}"})


def secret_in(response):
    return response.context["secret"]


# --- the page ---


def test_the_secret_is_shown_once_and_opens_the_api(client, page, person):
    client.force_login(person)

    made = client.post(page, {"name": "export", "scope": "read", "days": "90"})

    secret = secret_in(made)
    assert secret.startswith(PREFIX)
    assert made.text.count(secret) == 1
    assert secret not in client.get(page).text
    assert asked(client, secret).json()["name"] == "export"


def test_the_secret_is_kept_nowhere(client, page, person, member):
    client.force_login(person)

    secret = secret_in(client.post(page, {"name": "export", "scope": "read", "days": "90"}))

    (kept,) = ApiToken.objects.filter(membership=member).values()
    assert kept["secret_hash"] == hash_of(secret)
    assert secret not in map(str, kept.values())
    assert all(secret not in str(session.get_decoded()) for session in Session.objects.all())


def test_no_cache_keeps_the_page_with_the_secret(client, page, person):
    client.force_login(person)

    made = client.post(page, {"name": "export", "scope": "read", "days": "90"})

    assert "no-store" in made["Cache-Control"]


def test_a_page_that_is_sent_twice_makes_one_token(client, page, person, member):
    client.force_login(person)
    given = {"name": "export", "scope": "read", "days": "90"}
    client.post(page, given)

    again = client.post(page, given)

    assert "already" in again.text
    assert not secret_in(again)
    assert member.tokens.count() == 1


@pytest.mark.parametrize(
    "given",
    [
        {"name": "", "scope": "read", "days": "90"},
        {"name": "  ", "scope": "read", "days": "90"},
        {"name": "x" * 101, "scope": "read", "days": "90"},
        {"name": "x\x00y", "scope": "read", "days": "90"},
        {"name": "x", "scope": "everything", "days": "90"},
        {"name": "x", "scope": "read", "days": "100000"},
    ],
)
def test_what_cannot_be_is_refused_at_its_field(client, page, person, member, given):
    client.force_login(person)

    refused = client.post(page, given)

    assert refused.context["form"].errors
    assert not member.tokens.exists()


def test_a_form_without_its_csrf_token_makes_none(page, person, member, client):
    client.handler.enforce_csrf_checks = True
    client.force_login(person)

    refused = client.post(page, {"name": "export", "scope": "read", "days": "90"})

    assert refused.status_code == 403
    assert not member.tokens.exists()


def test_a_member_sees_own_tokens_and_an_owner_everybodys(client, page, project, person, member, make_member):
    make_token(membership=member, name="mine", scope="read")
    other, owner = make_member(project, Role.CURATOR), make_member(project, Role.OWNER)

    client.force_login(person)
    own = client.get(page)
    client.force_login(other)
    colleagues = client.get(page)
    client.force_login(owner)
    owners = client.get(page)

    assert [token.name for token in own.context["own"]] == ["mine"]
    assert colleagues.context["own"] == colleagues.context["others"] == []
    assert [token.name for token in owners.context["others"]] == ["mine"]


def test_revoking_is_confirmed_and_ends_what_the_token_opens(client, page, project, person, member):
    token, secret = make_token(membership=member, name="export", scope="read")
    client.force_login(person)
    address = reverse("token_revoke", args=[project.slug, token.pk])

    shown = client.get(address)
    still = asked(client, secret).status_code
    done = client.post(address)

    assert "cannot be undone" in shown.text
    assert still == 200
    assert done.url == page
    assert asked(client, secret).status_code == 401
    assert client.get(page).context["own"] == []


def test_an_owner_revokes_a_members_token_and_a_colleague_does_not(client, project, member, make_member):
    token, secret = make_token(membership=member, name="export", scope="read")
    address = reverse("token_revoke", args=[project.slug, token.pk])

    client.force_login(make_member(project, Role.CURATOR))
    refused = client.post(address)
    before = asked(client, secret).status_code
    client.force_login(make_member(project, Role.OWNER))
    client.post(address)

    assert (refused.status_code, before) == (404, 200)
    assert asked(client, secret).status_code == 401


def test_a_token_of_another_project_is_not_revoked_through_this_one(client, person, make_project, member):
    own = make_project(owner=person)
    token, secret = make_token(membership=member, name="export", scope="read")
    client.force_login(person)

    refused = client.post(reverse("token_revoke", args=[own.slug, token.pk]))

    assert refused.status_code == 404
    assert asked(client, secret).status_code == 200


def test_the_page_says_so_in_chinese(client, page, person):
    client.force_login(person)

    shown = client.get(page, headers={"Accept-Language": "zh-CN"})

    assert shown["Content-Language"] == "zh-hans"


# --- making ---


def test_a_member_has_so_many_tokens_and_no_more(member):
    for number in range(MOST_TOKENS):
        make_token(membership=member, name=str(number), scope="read")

    with pytest.raises(Refusal, match="at most 20"):
        make_token(membership=member, name="one more", scope="read")


def test_a_revoked_tokens_name_is_free_again(member):
    token, _secret = make_token(membership=member, name="export", scope="read")
    revoke_token(token=token)

    again, _secret = make_token(membership=member, name="export", scope="read")

    assert again.pk != token.pk


@pytest.mark.parametrize(
    ("name", "scope", "sentence"), [("", "read", "Name"), ("x" * 101, "read", "Name"), ("x", "all", "do")]
)
def test_a_token_that_cannot_be_is_refused_with_a_sentence(member, name, scope, sentence):
    with pytest.raises(Refusal, match=sentence):
        make_token(membership=member, name=name, scope=scope)


def test_a_token_does_not_begin_dead(member):
    with pytest.raises(Refusal, match="past"):
        make_token(membership=member, name="x", scope="read", expires_at=timezone.now())


# --- what opens the API ---


def test_a_token_says_whose_it_is(client, project, person, member):
    _token, secret = make_token(membership=member, name="export", scope="read")

    said = asked(client, secret).json()

    assert said == {
        "name": "export",
        "scope": "read",
        "project": project.slug,
        "member": person.email,
        "role": "reviewer",
        "rights": ["review", "see_material", "see_results"],
        "expires_at": None,
    }


def dead_by_time(member, person):
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def dead_by_revoking(member, person):
    revoke_token(token=member.tokens.get())


def dead_with_its_member(member, person):
    remove_member(membership=member)


def dead_with_the_account(member, person):
    type(person).objects.filter(pk=person.pk).update(is_active=False)


@pytest.mark.parametrize(
    "kill", [dead_by_time, dead_by_revoking, dead_with_its_member, dead_with_the_account]
)
def test_a_dead_token_opens_nothing(client, project, person, member, kill):
    _token, secret = make_token(membership=member, name="export", scope="write")
    assert asked(client, secret).status_code == 200

    kill(member, person)

    refused = asked(client, secret)
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"] == "Bearer"
    assert "token" in refused.json()["error"]


def test_a_member_who_comes_back_does_not_bring_the_old_token(client, project, person, member):
    _token, secret = make_token(membership=member, name="export", scope="read")
    remove_member(membership=member)
    Membership.objects.create(project=project, user=person, role=Role.OWNER)

    assert asked(client, secret).status_code == 401


def test_a_token_follows_its_members_role(client, project, member):
    _token, secret = make_token(membership=member, name="export", scope="read")
    address, headers = f"/api/v1/projects/{project.slug}/questions", {"Authorization": f"Bearer {secret}"}
    before = client.get(address, headers=headers).status_code

    services.change_role(membership=member, role=Role.VIEWER)

    assert (before, client.get(address, headers=headers).status_code) == (200, 403)


@pytest.mark.parametrize("way", ["Bearer ", "bearer ", "BEARER "])
def test_the_scheme_is_read_in_any_case(client, member, way):
    _token, secret = make_token(membership=member, name="export", scope="read")

    assert asked(client, secret, way).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        *(
            "",
            "Bearer",
            "Bearer ",
            "Bearer qianti_",
            "Basic {}",
            "Token {}",
            "{}",
            "Bearer {}x",
            "Bearer x{}",
        ),
        *("Bearer {} {}", "Bearer \u00ff\u00fe", "Bearer " + "x" * 5000),
    ],
)
def test_anything_else_in_the_header_opens_nothing(client, member, header):
    _token, secret = make_token(membership=member, name="export", scope="read")

    refused = client.get("/api/v1/token", headers={"Authorization": header.replace("{}", secret)})

    assert refused.status_code == 401


def test_a_token_in_the_address_opens_nothing(client, member):
    _token, secret = make_token(membership=member, name="export", scope="read")

    assert client.get("/api/v1/token", query_params={"token": secret}).status_code == 401


def test_the_hash_that_is_kept_opens_nothing(client, member):
    token, _secret = make_token(membership=member, name="export", scope="read")

    assert asked(client, token.secret_hash).status_code == 401


def test_an_answer_sets_no_cookie_and_stays_in_no_cache(client, member):
    _token, secret = make_token(membership=member, name="export", scope="read")

    answer = asked(client, secret)

    assert not answer.cookies
    assert answer["Cache-Control"] == "private, no-store"
    assert "Authorization" in answer["Vary"]
    assert "Access-Control-Allow-Origin" not in answer


def test_the_secret_stands_in_no_log(client, member, caplog):
    _token, secret = make_token(membership=member, name="export", scope="read")

    with caplog.at_level(logging.DEBUG):
        asked(client, secret)
        asked(client, secret, "Basic ")
        client.post("/api/v1/token", headers={"Authorization": f"Bearer {secret}"})

    assert caplog.records
    assert secret not in caplog.text


def test_its_use_is_noted_but_not_at_every_call(member):
    token, _secret = make_token(membership=member, name="export", scope="read")

    note_use(token=token)
    token.refresh_from_db()
    first = token.last_used_at
    note_use(token=token)
    token.refresh_from_db()
    unchanged = token.last_used_at
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    note_use(token=token)
    token.refresh_from_db()

    assert first == unchanged
    assert token.last_used_at >= first
