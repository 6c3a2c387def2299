"""A real browser reads the results page."""

import pytest
from django.urls import reverse

from common.access import Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_results_page_draws_its_curve(
    page, live_server, sign_in, make_member, make_benchmark, make_base, make_tuned, make_evaluation
):
    benchmark = make_benchmark(items=4)
    base = make_base(benchmark.project)
    make_evaluation(base, benchmark, {(16, 0): "rwww", (32, 0): "rwww"})
    make_evaluation(make_tuned(base), benchmark, {(16, 0): "rwww", (32, 0): "rrrw"})

    sign_in(make_member(benchmark.project, Role.VIEWER))
    page.goto(live_server.url + reverse("results", args=[benchmark.project.slug]))

    page.locator(".chart .main-svg").first.wait_for()
    assert page.locator(".chart").first.locator("path.point").count() == 4
