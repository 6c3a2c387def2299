"""Who asks, and which rows a token reaches: its own project's, as far as its member's role goes."""

from typing import Any, TypeVar

import orjson
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.parser import Parser
from ninja.security import HttpBearer

from common.access import Right, get_editable, get_visible
from common.models import ApiToken, Project
from common.queries import get_token
from common.services import note_use

READING = ("GET", "HEAD")
Row = TypeVar("Row", bound=Model)


class ApiRequest(HttpRequest):
    """A request that brought a token that stands."""

    auth: ApiToken


class Token(HttpBearer):
    """The only way in: a member's token in the header. A browser's session opens nothing here."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """Return the token, if it stands and may do what this method does.

        Raises:
            PermissionDenied: it may only read.
        """
        found = get_token(token.strip())
        if found is None:
            return None
        if request.method not in READING and found.scope != ApiToken.Scope.WRITE:
            raise PermissionDenied(_("This token may only read. Make one that may write, too."))
        note_use(token=found)
        return found


class StrictParser(Parser):
    """Reads bodies as strict JSON: no NaN, no half characters."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body of a request.

        Raises:
            ValueError: it is no JSON.
        """
        return orjson.loads(request.body)


def visible(request: ApiRequest, rows: type[Row] | QuerySet[Row], **lookup: Any) -> Row:
    """Return the one row of the token's project that its member may read.

    Raises:
        Http404: there is none.
    """
    return get_visible(_within(request.auth, rows), request.auth.user, **lookup)


def editable(
    request: ApiRequest, rows: type[Row] | QuerySet[Row], *, right: Right | None = None, **lookup: Any
) -> Row:
    """Return the one row of the token's project that its member may change, or for which they have `right`.

    Raises:
        Http404: the member may not even see it.
        PermissionDenied: the member may see it, but not change it.
    """
    return get_editable(_within(request.auth, rows), request.auth.user, right=right, **lookup)


def project_with(request: ApiRequest, slug: str, right: Right) -> Project:
    """Return the token's project, if this is its short name and its member has the right.

    Raises:
        Http404: it is another one.
        PermissionDenied: the member's role lacks the right.
    """
    return editable(request, Project, right=right, slug=slug)


def _within(token: ApiToken, rows: type[Row] | QuerySet[Row]) -> QuerySet[Row]:
    """Keep to the token's project: its member may be in others, too, but the token is not."""
    queryset = rows if isinstance(rows, QuerySet) else rows._default_manager.all()
    path = queryset.model.project_path  # type: ignore[attr-defined]
    return queryset.filter(**{path or "pk": token.membership.project_id})
