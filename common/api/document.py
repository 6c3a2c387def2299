"""The OpenAPI document in the reader's language, and as chapters that a page can show."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_lazy

_SPOKEN = ("summary", "description")
_METHODS = ("get", "post", "put", "patch", "delete")
_DEEPEST = 6  # levels of an example


@dataclass(frozen=True)
class Place:
    """A parameter, or a field of a body or an answer."""

    name: str
    kind: str
    required: bool
    words: str
    choices: tuple[str, ...]
    limits: str


@dataclass(frozen=True)
class Entry:
    """One operation as a page shows it; `body` and `answer` are examples in JSON, "" where there is none."""

    name: str
    method: str
    address: str
    summary: str
    words: str
    parameters: tuple[Place, ...]
    fields: tuple[Place, ...]
    body: str
    answer: str
    fields_back: tuple[Place, ...]
    refusals: tuple[str, ...]

    @property
    def path(self) -> str:
        """Return the address below the root of the API."""
        return "/" + self.address.split("/", 3)[-1]

    @property
    def is_writing(self) -> bool:
        """Tell whether it changes something."""
        return self.method != "GET"


@dataclass(frozen=True)
class Chapter:
    """The operations on one kind of thing."""

    name: str
    entries: tuple[Entry, ...]


def in_readers_language(part: Any) -> Any:
    """Return a document, or a part of one, with what it says to people in the active language."""
    if isinstance(part, Mapping):
        return {
            name: gettext(" ".join(value.split())) or ""
            if name in _SPOKEN and isinstance(value, str) and value
            else in_readers_language(value)
            for name, value in part.items()
        }
    if isinstance(part, list | tuple):
        return [in_readers_language(each) for each in part]
    return part


def chapters_of(document: Mapping[str, Any]) -> list[Chapter]:
    """Return a document's operations by their first tag, in the order of the document."""
    by_tag: dict[str, list[Entry]] = {}
    for address, operations in document["paths"].items():
        for method in (each for each in _METHODS if each in operations):
            operation = operations[method]
            by_tag.setdefault(operation["tags"][0], []).append(_entry(document, address, method, operation))
    return [Chapter(gettext(tag), tuple(entries)) for tag, entries in by_tag.items()]


def _entry(document: Mapping[str, Any], address: str, method: str, operation: Mapping[str, Any]) -> Entry:
    body = _json_schema(operation.get("requestBody", {}))
    back = _json_schema(operation["responses"].get("200") or operation["responses"].get(200, {}))
    return Entry(
        name=operation["operationId"],
        method=method.upper(),
        address=address,
        summary=operation["summary"],
        words=operation.get("description", ""),
        parameters=tuple(_parameter(document, each) for each in operation.get("parameters", ())),
        fields=tuple(_fields(document, body)),
        body=_written(document, body),
        answer=_written(document, back),
        fields_back=tuple(_fields(document, back)),
        refusals=tuple(str(status) for status in operation["responses"] if str(status) != "200"),
    )


def _json_schema(part: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = part.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _parameter(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Place:
    schema = parameter["schema"]
    return _place(
        document,
        parameter["name"],
        {**schema, "description": parameter.get("description", "")},
        parameter["required"],
    )


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any], above: str = "") -> Iterator[Place]:
    """Yield the fields of an object, and of what a list in it holds, each by its path."""
    whole = _resolved(document, schema)
    for name, field in whole.get("properties", {}).items():
        path = f"{above}{name}"
        yield _place(document, path, field, name in whole.get("required", ()))
        inner = _resolved(document, field)
        if inner.get("type") == "array":
            yield from _fields(document, inner["items"], f"{path}[].")
        elif inner is not field:
            yield from _fields(document, inner, f"{path}.")


def _place(document: Mapping[str, Any], name: str, schema: Mapping[str, Any], required: bool) -> Place:
    inner = _resolved(document, schema)
    choices = inner.get("enum") or ([inner["const"]] if "const" in inner else [])
    if inner.get("type") == "array":
        choices = _resolved(document, inner["items"]).get("enum", [])
    return Place(
        name, _kind(document, schema), required, schema.get("description", ""), tuple(choices), _limits(inner)
    )


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, and look through "or null"."""
    if "$ref" in schema:
        return _resolved(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    for each in schema.get("anyOf", ()):
        if each.get("type") != "null":
            return _resolved(document, {**each, "anyOf": ()})
    return schema


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    inner = _resolved(document, schema)
    name = str(inner.get("format") or inner.get("type", ""))
    if inner.get("type") == "array":
        name = f"{_kind(document, inner['items'])}[]"
    is_null = any(each.get("type") == "null" for each in schema.get("anyOf", ()))
    return f"{name} | null" if is_null else name


_LIMITS = {
    "minimum": gettext_lazy("≥ %(value)s"),
    "maximum": gettext_lazy("≤ %(value)s"),
    "maxLength": gettext_lazy("at most %(value)s characters"),
    "maxItems": gettext_lazy("at most %(value)s entries"),
    "default": gettext_lazy("else %(value)s"),
}
_NOTHING: tuple[Any, ...] = (None, "", [], {})


def _limits(schema: Mapping[str, Any]) -> str:
    held = {name: schema[name] for name in _LIMITS if name in schema and schema[name] not in _NOTHING}
    return ", ".join(str(_LIMITS[name]) % {"value": _number(value)} for name, value in held.items())


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else json.dumps(value)


def _written(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    return json.dumps(example_of(document, schema), ensure_ascii=False, indent=2) if schema else ""


def example_of(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a value that a schema allows: its own example, or one made of its parts."""
    if examples := schema.get("examples"):
        return examples[0]
    inner = _resolved(document, schema)
    if examples := inner.get("examples"):
        return examples[0]
    if inner.get("type") == "object" and depth < _DEEPEST:
        properties = inner.get("properties", {}).items()
        return {name: example_of(document, field, depth + 1) for name, field in properties}
    if inner.get("type") == "array":
        return [example_of(document, inner["items"], depth + 1)] if depth < _DEEPEST else []
    return _plain(inner)


_PLAIN: dict[str, Any] = {
    "date-time": "2026-01-31T09:30:00Z",
    "integer": 1,
    "number": 0.5,
    "boolean": False,
    "string": "…",
    "object": {},
}


def _plain(schema: Mapping[str, Any]) -> Any:
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if enum := schema.get("enum"):
        return enum[0]
    return _PLAIN.get(schema.get("format", ""), _PLAIN.get(schema.get("type", "")))
