"""A program that uses the HTTP API, and holds every answer against the document."""

import json
from functools import cache
from typing import Any

from django.http import HttpResponseBase
from django.test import Client
from django.utils.translation import override
from jsonschema import Draft202012Validator, FormatChecker

from config.api import document as written_document

METHODS = ("get", "post", "put", "patch", "delete")


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document as a program reads it."""
    with override("en"):
        read: dict[str, Any] = json.loads(json.dumps(written_document(), default=str))
    return read


@cache
def operations() -> dict[str, tuple[str, str]]:
    """Return each operation's method and address, by its name."""
    return {
        operation["operationId"]: (method, address)
        for address, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


def declared(name: str) -> dict[str, Any]:
    """Return what the document says of an operation."""
    method, address = operations()[name]
    return document()["paths"][address][method]


def schema_faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Return how a value departs from a schema of the document."""
    whole = {**schema, "components": document()["components"]}
    validator = Draft202012Validator(whole, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


class Caller:
    """Calls operations by their names with one token."""

    def __init__(self, client: Client, secret: str | None, user: Any = None) -> None:
        self.client = client
        self.secret = secret
        self.user = user
        self.headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}

    def call(
        self, name: str, *, body: Any = None, query: dict[str, Any] | None = None, **named: Any
    ) -> HttpResponseBase:
        """Call an operation; fail where the answer is none that the document declares."""
        method, address = operations()[name]
        extra = (
            {} if method == "get" else {"data": json.dumps(body or {}), "content_type": "application/json"}
        )
        response = self.client.generic(
            method.upper(),
            address.format(**named),
            headers=self.headers,
            query_params=query,
            **extra,
        )
        self._hold(name, response)
        return response

    @staticmethod
    def _hold(name: str, response: HttpResponseBase) -> None:
        said = declared(name)["responses"].get(str(response.status_code))
        assert said is not None, (name, response.status_code)
        content = said["content"]
        if "application/json" in content:
            assert response["Content-Type"].startswith("application/json"), (name, response["Content-Type"])
            assert schema_faults(content["application/json"]["schema"], response.json()) == [], name
