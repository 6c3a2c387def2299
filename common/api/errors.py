"""Every refusal of the API as JSON: a sentence, and for values that cannot be, each field with its reason."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from common.core.refusal import Conflict, Refusal
from common.sentences import in_readers_language

logger = logging.getLogger(__name__)


class Fault(Schema):
    """What is wrong with one value."""

    field: str = Field(description=gettext_noop("Where it stands: the parameter, or the path in the body."))
    reason: str = Field(description=gettext_noop("Why it cannot be used, as a sentence."))


class Problem(Schema):
    """Why a request was refused."""

    error: str = Field(
        description=gettext_noop("A sentence: what, where, what to do; in the language of Accept-Language."),
        examples=[gettext_noop("There is no such thing, or this token does not reach it.")],
    )
    fields: list[Fault] = Field(
        default=[], description=gettext_noop("The values that cannot be used, where it is about values.")
    )


class Faulty(Exception):
    """Values of a request that only the project's own rows can refuse."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__(faults)
        self.faults = faults


def answers(model: Any, *more: int, status: int = 200) -> dict[int, Any]:
    """Return what an operation may answer: its result, and the refusals that every operation has, and `more`."""
    return {status: model, **dict.fromkeys((401, 403, 404, 422, *more), Problem)}


def problem(
    status: int,
    sentence: str,
    faults: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return a refusal."""
    fields = [{"field": field, "reason": reason} for field, reason in faults]
    body = {"error": in_readers_language(sentence), "fields": fields}
    return JsonResponse(
        body, status=status, headers=dict(headers or {}), json_dumps_params={"ensure_ascii": False}
    )


def no_such_address(request: HttpRequest) -> HttpResponse:
    """Answer for every address of the API that there is not."""
    return problem(404, _("There is no such address; the document of the API lists them all."))


def not_allowed(allowed: str) -> HttpResponse:
    """Answer for a method that an address does not take."""
    sentence = _("This address does not take that method; it takes %(methods)s.") % {"methods": allowed}
    return problem(405, sentence, headers={"Allow": allowed})


def broken() -> HttpResponse:
    """Answer where something of ours broke."""
    return problem(500, _("Something broke here, not in your request. It is noted; try again later."))


def answer_refusals(api: NinjaAPI) -> None:
    """Let an API answer every refusal of the product, of Django and of its own in one form."""
    for kind, answer in _ANSWERS.items():
        api.add_exception_handler(kind, answer)


def _unknown(request: HttpRequest, error: Exception) -> HttpResponse:
    sentence = _(
        "Send a token that stands, as “Authorization: Bearer qianti_…”. Make one on a project's page “API tokens”."
    )
    return problem(401, sentence, headers={"WWW-Authenticate": "Bearer"})


def _not_found(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(404, _("There is no such thing, or this token does not reach it."))


def _denied(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(403, str(error) or _("Your role in this project does not allow that. Ask its owner."))


def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(409 if isinstance(error, Conflict) else 422, str(error))


def _too_big(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(413, _("The request is too large; send less at once."))


def _unreadable(request: HttpRequest, error: Exception) -> HttpResponse:
    sentence = _("The body cannot be read: it has to be one JSON object, in UTF-8.")
    return problem(getattr(error, "status_code", 400), sentence)


def _faulty(request: HttpRequest, error: Exception) -> HttpResponse:
    found = error.faults if isinstance(error, Faulty) else ()
    return problem(422, _named(found), found)


def _invalid(request: HttpRequest, error: Exception) -> HttpResponse:
    found = [_fault(each) for each in error.errors] if isinstance(error, ValidationError) else []
    return problem(422, _named(found), found)


def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("%s %s broke", request.method, request.path, exc_info=error)
    return broken()


_ANSWERS: dict[type[Exception], Any] = {
    AuthenticationError: _unknown,
    Http404: _not_found,
    PermissionDenied: _denied,
    Refusal: _refused,
    RequestDataTooBig: _too_big,
    UnreadablePostError: _unreadable,
    HttpError: _unreadable,
    Faulty: _faulty,
    ValidationError: _invalid,
    Exception: _broken,
}


def _named(faults: Iterable[tuple[str, str]]) -> str:
    """Return one sentence for several faults, so that whoever reads no more than it knows where to look."""
    said = "; ".join(f"{field}: {reason}" for field, reason in faults)
    return _("These values cannot be used: %(faults)s") % {"faults": said}


# By pydantic's own names of what can be wrong; what is not here is said in its English.
_REASONS = {
    "missing": gettext_lazy("It is missing."),
    "extra_forbidden": gettext_lazy("There is no such field."),
    "unknown_parameter": gettext_lazy("There is no such parameter."),
    "int_parsing": gettext_lazy("It is no whole number."),
    "int_type": gettext_lazy("It is no whole number."),
    "int_from_float": gettext_lazy("It is no whole number."),
    "int_parsing_size": gettext_lazy("It is too large a number."),
    "float_parsing": gettext_lazy("It is no number."),
    "float_type": gettext_lazy("It is no number."),
    "finite_number": gettext_lazy("It is no number."),
    "bool_parsing": gettext_lazy("It is neither true nor false."),
    "bool_type": gettext_lazy("It is neither true nor false."),
    "string_type": gettext_lazy("It is no text."),
    "string_unicode": gettext_lazy("It is no text in Unicode."),
    "string_too_long": gettext_lazy("It has more than %(max_length)s characters."),
    "string_too_short": gettext_lazy("It is too short."),
    "nul_in_text": gettext_lazy("It holds a character that no text can have."),
    "list_type": gettext_lazy("It is no list."),
    "dict_type": gettext_lazy("It is no object."),
    "model_attributes_type": gettext_lazy("It is no object."),
    "model_type": gettext_lazy("It is no object."),
    "too_long": gettext_lazy("It has more than %(max_length)s entries."),
    "too_short": gettext_lazy("It has too few entries."),
    "greater_than_equal": gettext_lazy("It is less than %(ge)s."),
    "less_than_equal": gettext_lazy("It is more than %(le)s."),
    "literal_error": gettext_lazy("It is none of %(expected)s."),
}


def _fault(found: Mapping[str, Any]) -> tuple[str, str]:
    """Return a finding of pydantic as the field's place and a sentence."""
    _source, *place = found["loc"]
    shown = place[1:] if len(place) > 1 else place  # the first part is our own name for the whole body
    if found["type"] == "unknown_parameter":
        shown = [found["ctx"]["names"]]
    reason = _REASONS.get(found["type"])
    said = found["msg"] if reason is None else str(reason) % found.get("ctx", {})
    return ".".join(map(str, shown)), said
