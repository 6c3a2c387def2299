"""The third criterion: draws over domains, bands and weights."""

from collections import Counter
from random import Random

from curator.core.diversity import (
    Drawable,
    by_domain,
    draw_by_weights,
    draw_covering,
    draw_evenly,
    pick_any,
    pick_long,
)


def drawables(**sizes):
    return [
        Drawable(f"{domain}{number}", domain, "pool", number)
        for domain, size in sizes.items()
        for number in range(size)
    ]


def domains_of(drawn):
    return Counter(each.domain for each in drawn)


def test_domains_are_drawn_evenly_however_large_they_are():
    drawn = draw_evenly(by_domain(drawables(law=5000, tax=500, audit=400)), 900, Random(1))

    assert len({each.id for each in drawn}) == 900
    assert all(260 < count < 340 for count in domains_of(drawn).values())


def test_an_exhausted_domain_drops_out_and_the_others_make_up_for_it():
    drawn = draw_evenly(by_domain(drawables(law=100, tax=3)), 60, Random(1))

    assert domains_of(drawn) == {"law": 57, "tax": 3}


def test_fewer_come_back_where_there_are_no_more():
    assert len(draw_evenly(by_domain(drawables(law=3, tax=2)), 60, Random(1))) == 5


def test_the_kth_longest_trace_is_picked_with_half_the_chance_of_the_one_before():
    rng = Random(3)

    picked = Counter(pick_long(by_domain(drawables(law=4))["law"], rng).trace_tokens for _ in range(15_000))

    # Weights 8, 4, 2, 1 of 15, the longest (3 tokens) first; four standard errors.
    for tokens, weight in ((3, 8), (2, 4), (1, 2), (0, 1)):
        assert abs(picked[tokens] - 1000 * weight) < 250


def test_any_of_a_group_is_picked_with_the_same_chance():
    rng = Random(3)

    picked = Counter(pick_any(drawables(law=4), rng).id for _ in range(8_000))

    assert all(abs(count - 2000) < 160 for count in picked.values())


def test_coverage_takes_the_rare_long_ones_of_a_skewed_pool():
    rng = Random(1)
    lengths = rng.choices(range(1, 9), [0.6**step for step in range(8)], k=4000)
    pool = [Drawable(f"{n:05}", "law", "pool", length * 20) for n, length in enumerate(lengths)]

    covering = Counter(each.trace_tokens // 20 for each in draw_covering(pool, 400, Random(1), 8))
    at_random = Counter(each.trace_tokens // 20 for each in Random(1).sample(pool, 400))

    # Every length gives 50 or 51, but for the longest, of which the pool has no more than 45.
    assert sorted(covering.values()) == [45, 50, 50, 51, 51, 51, 51, 51]
    assert at_random[8] < 20 < 140 < at_random[1]


def test_what_an_empty_cell_cannot_give_the_others_do():
    pool = [Drawable(f"a{n}", "a", "", 10) for n in range(90)]
    pool += [Drawable(f"b{n}", "b", "", 10 + 10 * n) for n in range(4)]

    drawn = draw_covering(pool, 40, Random(1), 4)

    assert domains_of(drawn) == {"a": 36, "b": 4}


def test_a_blueprint_is_met_to_the_question():
    drawn = draw_by_weights(
        by_domain(drawables(law=500, tax=500, audit=500)), 101, Random(1), {"law": 3, "tax": 1, "audit": 0}
    )

    assert domains_of(drawn) == {"law": 76, "tax": 25}


def test_what_a_short_domain_cannot_give_is_shared_by_the_weights_of_the_others():
    weights = {"law": 1, "tax": 1, "audit": 2}

    drawn = draw_by_weights(by_domain(drawables(law=500, tax=500, audit=20)), 100, Random(1), weights)

    assert domains_of(drawn) == {"law": 40, "tax": 40, "audit": 20}
