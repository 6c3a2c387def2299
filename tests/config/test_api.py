"""The API as a whole: its document, the page of it, and refusals that are never a page."""

import json

import pytest
from django.urls import reverse
from django.utils.translation import override
from openapi_spec_validator import validate

from common.api.document import chapters_of, example_of
from config import api
from config.api import STATUS_WORDS
from tests.api import declared, document, operations, schema_faults

ANY_KEY = "/api/v1/questions/1"


def test_the_document_holds_against_the_standard():
    validate(document())

    assert document()["openapi"].startswith("3.1")


def test_every_operation_says_what_it_does_and_needs_a_token():
    for name in operations():
        said = declared(name)

        assert said["summary"], name
        assert said["description"].endswith("."), name
        assert said["security"] == [{"Token": []}], name
        assert {"401", "403", "404", "422"} <= said["responses"].keys(), name
    assert document()["components"]["securitySchemes"] == {"Token": {"type": "http", "scheme": "bearer"}}


def test_each_status_that_is_declared_is_explained():
    statuses = {status for name in operations() for status in declared(name)["responses"]} - {"200"}

    assert statuses <= {str(status) for status, _words in STATUS_WORDS}


@pytest.mark.parametrize("name", sorted(operations()))
def test_the_examples_that_are_shown_are_what_the_schemas_allow(name):
    said = declared(name)
    parts = [said.get("requestBody", {}), *said["responses"].values()]
    schemas = [
        part["content"]["application/json"]["schema"]
        for part in parts
        if "application/json" in part.get("content", {})
    ]

    assert schemas
    for schema in schemas:
        assert schema_faults(schema, example_of(document(), schema)) == []


def test_every_operation_stands_in_one_chapter():
    entries = [entry.name for chapter in chapters_of(document()) for entry in chapter.entries]

    assert sorted(entries) == sorted(operations())


# --- the document and its page ---


def test_the_document_is_there_for_strangers(client, db):
    response = client.get(reverse("api_openapi"))

    assert response["Content-Type"] == "application/json"
    assert response.json() == document()


def test_the_page_shows_every_operation_without_a_script_or_style_of_its_own(client, db):
    response = client.get(reverse("api_docs"))

    for name in operations():
        assert f'id="{name}"' in response.text
    assert "style=" not in response.text
    assert "http://cdn" not in response.text
    assert "https://" not in response.text.replace("https://testserver", "")


def test_the_document_speaks_the_readers_language(monkeypatch):
    summary = declared("questions")["summary"]
    monkeypatch.setattr("common.api.document.gettext", lambda said: "列出题目" if said == summary else said)

    spoken = api.in_readers_language(document())

    assert spoken["paths"]["/api/v1/projects/{slug}/questions"]["get"]["summary"] == "列出题目"
    assert spoken["components"].keys() == document()["components"].keys()


# --- refusals ---


@pytest.mark.parametrize(
    "address",
    [
        *("/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/token", "/api/v1/token/", "/api/v1/questions/x"),
        *(
            "/api/v1/questions/-1",
            "/api/v1/projects/%00/questions",
            "/api/v1/projects/../questions",
            "/api/%ff",
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_address_that_is_not_there_is_refused_in_json(client, db, method, address):
    response = client.generic(method, address)

    assert response.status_code == 404
    assert response.json()["error"]


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "HEAD", "TRACE", "POST", "PUT"])
def test_a_method_that_is_not_taken_is_refused_in_json(client, db, method):
    response = client.generic(method, ANY_KEY)

    assert response.status_code == 405
    assert set(response["Allow"].split(", ")) == {"GET", "PATCH"}
    assert response["Content-Type"] == "application/json"
    assert not [name for name in response.headers if name.startswith("Access-Control")]


def test_what_breaks_is_logged_and_said_in_json(make_caller, make_project, monkeypatch, caplog):
    def breaks(*_given, **_named):
        raise RuntimeError("the disk is gone")

    caller = make_caller(make_project())
    monkeypatch.setattr("curator.api.questions.visible", breaks)

    response = caller.client.get(ANY_KEY, headers=caller.headers)

    assert response.status_code == 500
    assert "the disk is gone" not in response.text
    assert response.json()["error"]
    assert "the disk is gone" in caplog.text


def test_what_breaks_before_an_operation_is_said_in_json_too(client, db, monkeypatch):
    def breaks(*_given, **_named):
        raise RuntimeError("the database is gone")

    monkeypatch.setattr("common.api.asking.get_token", breaks)
    monkeypatch.setitem(api.api._exception_handlers, Exception, breaks)
    client.raise_request_exception = False

    response = client.get(ANY_KEY, headers={"Authorization": "Bearer x"})

    assert response.status_code == 500
    assert response.json()["error"]


def test_a_host_that_is_not_ours_is_refused_in_json(client, db):
    response = client.get(ANY_KEY, headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"null", b"[]", b'"x"', b"NaN", b'{"seen": "\\ud800"}', b'{"seen": NaN}']
)
def test_a_body_that_is_no_object_is_refused_in_json(make_caller, make_question, body):
    question = make_question()
    caller = make_caller(question.project)

    response = caller.client.patch(
        f"/api/v1/questions/{question.pk}", body, content_type="application/json", headers=caller.headers
    )

    assert response.status_code in (400, 422)
    assert response.json()["error"]


def test_a_body_that_is_too_large_is_refused_in_json(make_caller, make_question, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    question = make_question()
    caller = make_caller(question.project)

    response = caller.client.patch(
        f"/api/v1/questions/{question.pk}",
        json.dumps({"seen": "x", "text": "x" * 200}),
        content_type="application/json",
        headers=caller.headers,
    )

    assert response.status_code == 413
    assert response.json()["error"]


def test_a_refusal_names_the_field_and_the_reason_in_the_readers_language(make_caller, make_project):
    project = make_project()
    caller = make_caller(project)
    address = f"/api/v1/projects/{project.slug}/questions"

    with override(None):
        english = caller.client.get(address, {"limit": "many"}, headers=caller.headers)
        chinese = caller.client.get(
            address, {"limit": "many"}, headers={**caller.headers, "Accept-Language": "zh-CN"}
        )

    assert english.json() == {
        "error": "These values cannot be used: limit: It is no whole number.",
        "fields": [{"field": "limit", "reason": "It is no whole number."}],
    }
    assert chinese["Content-Language"] == "zh-hans"
    assert chinese.json()["fields"][0]["field"] == "limit"
