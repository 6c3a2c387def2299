"""A real browser makes a token, copies it, and the document's page can be read by everyone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from common.models import ApiToken

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def hold(page, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_a_member_makes_a_token_uses_it_and_revokes_it(
    live_server, page, sign_in, make_project, make_user, width, scheme
):
    person = make_user()
    project = make_project(owner=person)
    sign_in(person)

    page.goto(live_server.url + project.get_absolute_url())
    page.get_by_role("link", name="API", exact=True).click()
    page.get_by_label("Name").fill("export")
    page.get_by_role("button", name="Make it").click()
    secret = page.locator("code.secret").inner_text()
    hold(page, width, scheme)
    answer = page.request.get(
        f"{live_server.url}/api/v1/token", headers={"Authorization": f"Bearer {secret}"}
    )
    page.get_by_role("link", name="Revoke export").click()
    page.get_by_role("button", name="Revoke").click()

    expect(page.get_by_text("is worthless now")).to_be_visible()
    assert answer.json()["project"] == project.slug
    assert ApiToken.objects.get().revoked_at


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (360, "light")])
def test_the_page_of_the_document_can_be_read_by_everyone(live_server, page, width, scheme):
    page.goto(live_server.url + reverse("api_docs"))
    page.get_by_role("link", name="Judge a trace").click()
    page.locator("article[aria-labelledby=review_put] summary").first.click()

    hold(page, width, scheme)
