"""The token itself, and its project."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.utils.translation import gettext_noop as _
from ninja import Router, Schema
from pydantic import Field

from common.access import Right
from common.api.asking import ApiRequest, project_with
from common.api.errors import answers
from common.models import ApiToken
from common.queries import get_spent_usd

router = Router(tags=[_("Project")])


class TokenOut(Schema):
    """A token, as its bearer may know it."""

    name: str = Field(examples=["nightly export"])
    scope: Literal["read", "write"]
    project: str = Field(description=_("Short name of the one project that it reaches."), examples=["law"])
    member: str = Field(description=_("In whose name it speaks."), examples=["lin@school.example"])
    role: Literal["owner", "curator", "reviewer", "viewer"]
    rights: list[str] = Field(
        description=_("What the member's role allows."), examples=[["see_results", "see_material", "review"]]
    )
    expires_at: datetime | None


class ProjectOut(Schema):
    """A project."""

    slug: str = Field(examples=["law"])
    name: str = Field(examples=["Bar exam"])
    description: str
    languages: list[str] = Field(examples=[["zh", "en"]])
    money_limit_usd: Decimal = Field(examples=["50.00"])
    spent_usd: Decimal = Field(examples=["12.340000"])
    created_at: datetime


@router.get(
    "/token",
    response=answers(TokenOut),
    summary=_("What this token is"),
    description=_("Names the token's project, its member's role and rights, and when it expires."),
)
def token(request: ApiRequest) -> TokenOut:
    """Return the token that asks."""
    found = request.auth
    return TokenOut(
        name=found.name,
        scope="write" if found.scope == found.Scope.WRITE else "read",
        project=found.project.slug,
        member=found.user.email,
        role=_role(found),
        rights=sorted(found.membership.rights),
        expires_at=found.expires_at,
    )


def _role(found: ApiToken) -> Any:
    return str(found.membership.role)


@router.get(
    "/projects/{slug:slug}",
    response=answers(ProjectOut),
    summary=_("One project"),
    description=_("The token's own project; every other one is answered as if there were none."),
)
def project(request: ApiRequest, slug: str) -> ProjectOut:
    """Return the token's project."""
    found = project_with(request, slug, Right.SEE_RESULTS)
    return ProjectOut(
        slug=found.slug,
        name=found.name,
        description=found.description,
        languages=found.languages,
        money_limit_usd=found.money_limit_usd,
        spent_usd=get_spent_usd(found),
        created_at=found.created_at,
    )
