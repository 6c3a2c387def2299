"""One view serves the whole page to a browser and one part of it to htmx."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def render_page(
    request: HttpRequest, template: str, context: dict[str, Any], *, partial: str
) -> HttpResponse:
    """Render `template`, or only its partial named `partial` when htmx asks for an update."""
    response = render(request, f"{template}#{partial}" if wants_part(request) else template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def wants_part(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a part of a page, and no browser for the whole of it."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not (htmx.boosted or htmx.history_restore_request)
