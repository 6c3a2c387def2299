"""The HTTP API: the parts of all packages under one address, its document, and that document as a page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, re_path, reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from ninja import NinjaAPI
from ninja.operation import Operation

import curator.api
import evaluation.api
import training.api
from common.api import projects
from common.api.asking import StrictParser, Token
from common.api.document import chapters_of, in_readers_language
from common.api.errors import answer_refusals, no_such_address, not_allowed

ROOT = "/api/v1/"
DESCRIPTION = gettext_noop(
    "Questions, traces, reviews, selections, datasets, runs and evaluations of one project, for a member's own "
    "programs. Each call brings a token, which reaches one project with its member's rights. Nothing that costs "
    "money can be started here: that needs a person who has seen the estimate."
)

STATUS_WORDS = (
    (400, gettext_lazy("the body is no JSON")),
    (401, gettext_lazy("no token, or one that does not stand: unknown, expired, revoked")),
    (403, gettext_lazy("the member's role does not reach so far, or the token may only read")),
    (404, gettext_lazy("there is none, or it belongs to another project")),
    (405, gettext_lazy("the address does not take that method")),
    (409, gettext_lazy("it has changed since you read it; nothing was written")),
    (413, gettext_lazy("the body is too large")),
    (422, gettext_lazy("a value cannot be used, or what was asked cannot be done")),
    (500, gettext_lazy("something of ours broke")),
)


class _Api(NinjaAPI):
    """Names operations by their functions alone."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


api = _Api(
    title="Qianti",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    openapi_url="",
    docs_url="",
    auth=Token(),
    parser=StrictParser(),
)
answer_refusals(api)
for _router in (projects.router, *curator.api.ROUTERS, training.api.router, evaluation.api.router):
    api.add_router("", _router)


def document() -> dict[str, Any]:
    """Return the OpenAPI document, in English as it is written."""
    return dict(api.get_openapi_schema(path_prefix=ROOT))


@login_not_required
@require_GET
def openapi(request: HttpRequest) -> JsonResponse:
    """Send the OpenAPI document in the reader's language."""
    return JsonResponse(in_readers_language(document()), json_dumps_params={"ensure_ascii": False})


@login_not_required
@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    """Show the document as a page."""
    found = in_readers_language(document())
    context = {
        "document": found,
        "chapters": chapters_of(found),
        "statuses": STATUS_WORDS,
        "root": request.build_absolute_uri(ROOT).rstrip("/"),
        "openapi_url": reverse("api_openapi"),
    }
    return render(request, "common/api_docs.html", context)


@csrf_exempt  # it does nothing; a browser's form gets the same answer as a program
@login_not_required
def nowhere(request: HttpRequest) -> HttpResponse:
    """Answer below the API where there is no address."""
    return no_such_address(request)


def _as_json(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Open an operation to programs that are not signed in, and keep its answers out of every cache."""

    @wraps(view)
    def answered(request: HttpRequest, *places: Any, **named: Any) -> HttpResponseBase:
        response = view(request, *places, **named)
        if isinstance(response, HttpResponseNotAllowed):
            response = not_allowed(response["Allow"])
        response["Cache-Control"] = "private, no-store"
        patch_vary_headers(response, ["Accept-Language", "Authorization"])
        return response

    answered.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie opens an operation
    return login_not_required(answered)


def _operations() -> list[URLPattern]:
    patterns = [each for each in api.urls[0] if isinstance(each, URLPattern) and each.name != "api-root"]
    for each in patterns:
        each.callback = _as_json(each.callback)
    return patterns


urlpatterns = [
    path("v1/openapi.json", openapi, name="api_openapi"),
    path("v1/docs/", docs, name="api_docs"),
    path("v1/", (_operations(), "api", "api")),
    re_path(r"", nowhere, name="api_nowhere"),
]
