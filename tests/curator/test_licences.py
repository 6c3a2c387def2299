"""What licences ask, alone and together, and what they forbid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.licences import (
    Condition,
    Licence,
    Purpose,
    Source,
    Together,
    licence_from,
    ranked,
    terms_from,
)
from curator.core.presets import PRESETS

BY, SA, NC = Condition.ATTRIBUTION, Condition.SHARE_ALIKE, Condition.NON_COMMERCIAL
ND, NT, NR, UNKNOWN = (
    Condition.NO_DERIVATIVES,
    Condition.NO_TRAINING,
    Condition.NO_REDISTRIBUTION,
    Condition.UNKNOWN,
)


@pytest.mark.parametrize(
    ("text", "spdx", "asked"),
    [
        ("MIT", "MIT", {BY}),
        ("mit", "MIT", {BY}),
        ("Apache 2.0", "Apache-2.0", {BY}),
        ("cc0-1.0", "CC0-1.0", set()),
        ("CC-BY-4.0", "CC-BY-4.0", {BY}),
        ("CC BY", "CC-BY-4.0", {BY}),
        ("cc-by-sa-3.0", "CC-BY-SA-3.0", {BY, SA}),
        ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0", {BY, NC, SA}),
        ("CC_BY_NC_ND_4.0", "CC-BY-NC-ND-4.0", {BY, NC, ND}),
        ("Creative Commons Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0", {BY, NC}),
        ("odc-by", "ODC-By-1.0", {BY}),
        ("GPL-3.0-only", "GPL-3.0-only", {BY, SA}),
        ("MIT OR GPL-3.0-only", "MIT", {BY}),
        ("MIT AND CC-BY-NC-4.0", "", {BY, NC}),
        ("own", "", set()),
        ("自编", "", set()),
        ("unknown", "", {UNKNOWN}),
        ("", "", {UNKNOWN}),
        ("MIT OR something", "", {UNKNOWN}),
        ("All rights reserved", "", {NR, UNKNOWN}),
        ("仅供研究使用，禁止转载", "", {NC, NR, UNKNOWN}),
        ("for non-commercial use", "", {NC, UNKNOWN}),
    ],
)
def test_a_licence_is_known_by_its_id_its_short_names_and_people_s_words(text, spdx, asked):
    found = licence_from(text)

    assert (found.id, found.conditions) == (spdx, asked)


@given(st.text())
def test_any_words_are_read_and_what_they_are_is_not_known(text):
    assert Condition.UNKNOWN in licence_from(f"§{text}").conditions


def test_the_most_restrictive_condition_stands_first_and_unknown_above_all():
    assert ranked([BY, UNKNOWN, NC, NR, SA]) == (UNKNOWN, NR, NC, SA, BY)
    assert licence_from("CC BY-NC-SA 4.0").most_restrictive == NC
    assert licence_from("CC0-1.0").most_restrictive is None


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_a_provider_s_terms_are_read_as_the_preset_says(preset):
    found = terms_from(preset.terms_note)

    wanted = {True: set(), False: {NT}}.get(preset.permits_training)
    assert found.conditions == wanted if wanted is not None else UNKNOWN in found.conditions


def test_nothing_noted_of_a_teacher_s_terms_is_unknown():
    assert terms_from("").conditions == {UNKNOWN}
    assert terms_from("MIT").conditions == {BY}
    assert NT in terms_from("Its output may not be used to train other models.").conditions


def together(*licences):
    return Together(
        tuple(
            Source("pool", f"pool {text}", licence_from(text), place + 1)
            for place, text in enumerate(licences)
        )
    )


@pytest.mark.parametrize(
    ("licences", "share", "sell"),
    [
        (["MIT", "CC-BY-4.0"], [], []),
        (["CC-BY-SA-4.0"], [], []),
        (["MIT", "CC-BY-NC-4.0"], [], ["pool CC-BY-NC-4.0"]),
        (["CC-BY-ND-4.0"], ["pool CC-BY-ND-4.0"], ["pool CC-BY-ND-4.0"]),
        (["unknown", "own"], ["pool unknown"], ["pool unknown"]),
        (["no redistribution"], ["pool no redistribution"], ["pool no redistribution"]),
    ],
)
def test_what_forbids_to_pass_on_or_to_sell_is_named_and_own_use_is_free(licences, share, sell):
    found = together(*licences)

    assert found.against(Purpose.OWN) == ()
    assert [source.name for source, _why in found.against(Purpose.SHARE)] == share
    assert [source.name for source, _why in found.against(Purpose.SELL)] == sell


@pytest.mark.parametrize(
    ("one", "other", "clashes"),
    [
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0", False),
        ("CC-BY-SA-3.0", "CC-BY-SA-4.0", False),  # 3.0 may become a later version of the same kind
        ("CC-BY-SA-4.0", "GPL-3.0-only", False),
        ("CC-BY-SA-4.0", "MIT", False),
        ("CC-BY-4.0", "CC-BY-NC-4.0", False),
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0", True),
        ("CC-BY-SA-4.0", "CC-BY-NC-4.0", True),
        ("CC-BY-SA-4.0", "ODbL-1.0", True),
        ("CC-BY-SA-4.0", "GFDL", True),
    ],
)
def test_share_alikes_that_cannot_hold_for_one_work_are_named(one, other, clashes):
    assert bool(together(one, other).clashes) is clashes
    assert bool(together(other, one).clashes) is clashes


@pytest.mark.parametrize(
    ("licences", "ids"),
    [
        (["MIT", "Apache-2.0"], ["apache-2.0", "mit"]),
        (["CC BY-NC-SA 4.0"], ["cc-by-nc-sa-4.0"]),
        (["CC-BY-3.0-IGO", "own"], ["other"]),
        (["unknown"], ["unknown"]),
        ([], ["unknown"]),
    ],
)
def test_the_hub_gets_ids_that_it_knows(licences, ids):
    assert together(*licences).hub_ids == ids


CONDITIONS = st.frozensets(st.sampled_from(list(Condition)))


@given(st.lists(CONDITIONS))
def test_together_they_ask_for_all_that_each_asks_and_no_more(asked):
    sources = tuple(Source("pool", str(at), Licence("x", "", each), 1) for at, each in enumerate(asked))

    assert set(Together(sources).conditions) == frozenset().union(*asked)


@given(CONDITIONS)
def test_what_may_be_sold_may_be_passed_on(asked):
    found = Together((Source("pool", "p", Licence("x", "", asked), 1),))

    assert len(found.against(Purpose.SHARE)) <= len(found.against(Purpose.SELL))
