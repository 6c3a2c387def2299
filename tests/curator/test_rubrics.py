"""A project has its own reasons and scales; what is retired stays where it was used."""

import pytest
from django.utils import translation

from common.core.refusal import Refusal
from curator.models import Reason
from curator.services import rubrics


def test_a_project_begins_with_common_reasons_in_the_readers_language(make_project):
    project = make_project()

    reasons = rubrics.reasons_of(project)

    assert len(reasons) == len(rubrics.reasons_of(project)) >= 5
    with translation.override("zh-hans"):
        assert all(str(reason) != reason.code for reason in reasons)


def test_a_reason_of_ones_own_is_offered_until_it_is_retired_and_can_come_back(make_project):
    project = make_project()

    added = rubrics.add_reason(project=project, name="公式没有推导")
    assert str(rubrics.reasons_of(project)[-1]) == "公式没有推导"

    rubrics.retire_reason(reason=added)
    assert added not in rubrics.reasons_of(project)

    assert rubrics.add_reason(project=project, name="公式没有推导") == added
    assert added in rubrics.reasons_of(project)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "wrong answer"])
def test_a_reason_without_a_name_or_twice_is_refused(make_project, name):
    project = make_project()
    before = len(rubrics.reasons_of(project))

    with pytest.raises(Refusal):
        rubrics.add_reason(project=project, name=name)

    assert len(rubrics.reasons_of(project)) == before


def test_names_that_look_alike_get_codes_of_their_own(make_project):
    project = make_project()

    codes = {rubrics.add_reason(project=project, name=name).code for name in ("Too long!", "Too long?", "？")}

    assert len(codes) == 3
    assert Reason.objects.filter(project=project, code__in=codes).count() == 3


@pytest.mark.parametrize("steps", [1, 8])
def test_a_scale_has_steps_that_people_can_tell_apart(make_project, steps):
    with pytest.raises(Refusal):
        rubrics.add_scale(project=make_project(), name="Clarity", steps=steps)


def test_a_rubric_is_short(make_project):
    project = make_project()
    for number in range(rubrics.MOST_SCALES):
        rubrics.add_scale(project=project, name=f"Scale {number}")

    with pytest.raises(Refusal, match="at most"):
        rubrics.add_scale(project=project, name="One more")
    rubrics.retire_scale(scale=rubrics.scales_of(project)[0])
    rubrics.add_scale(project=project, name="One more")

    assert len(rubrics.scales_of(project)) == rubrics.MOST_SCALES
