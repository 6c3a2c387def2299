"""The third criterion: draws over domains, bands and weights."""

from collections import Counter
from random import Random

import numpy as np

from curator.core.diversity import (
    draw_by_source,
    draw_by_weights,
    draw_covering,
    draw_evenly,
    grouped,
    pick_any,
    pick_long,
)


class Pool:
    """Rows with a domain and a length each, counted up inside their domain."""

    def __init__(self, names, tokens):
        self.names, self.tokens = names, np.array(tokens)
        self.groups = grouped(np.arange(len(names)), names, self.tokens)

    def domains_of(self, drawn):
        return Counter(self.names[row] for row in drawn)


def of_sizes(**sizes):
    names = [domain for domain, size in sizes.items() for _ in range(size)]
    return Pool(names, [number for size in sizes.values() for number in range(size)])


def test_groups_come_by_name_and_the_longest_first_whatever_the_order_of_the_rows():
    groups = grouped(np.array([0, 2, 3, 4]), ["b", "a", "a", "b", "b"], np.array([1, 9, 5, 7, 7]))

    assert list(groups.items()) == [("a", [2]), ("b", [3, 4, 0])]


def test_a_source_is_drawn_before_its_questions():
    sources = ["large"] * 900 + ["small"] * 100
    pool = Pool(["law"] * 1000, range(1000))

    drawn = draw_by_source(pool.groups, sources, 100, Random(1))

    assert 35 < Counter(sources[row] for row in drawn)["small"] < 65


def test_domains_are_drawn_evenly_however_large_they_are():
    pool = of_sizes(law=5000, tax=500, audit=400)

    drawn = draw_evenly(pool.groups, 900, Random(1))

    assert len(set(drawn)) == 900
    assert all(260 < count < 340 for count in pool.domains_of(drawn).values())


def test_an_exhausted_domain_drops_out_and_the_others_make_up_for_it():
    pool = of_sizes(law=100, tax=3)

    drawn = draw_evenly(pool.groups, 60, Random(1))

    assert pool.domains_of(drawn) == {"law": 57, "tax": 3}


def test_fewer_come_back_where_there_are_no_more():
    assert len(draw_evenly(of_sizes(law=3, tax=2).groups, 60, Random(1))) == 5


def test_the_kth_longest_trace_is_picked_with_half_the_chance_of_the_one_before():
    rng = Random(3)

    picked = Counter(pick_long([3, 2, 1, 0], rng) for _ in range(15_000))

    # Weights 8, 4, 2, 1 of 15, the longest (3 tokens) first; four standard errors.
    for tokens, weight in ((3, 8), (2, 4), (1, 2), (0, 1)):
        assert abs(picked[tokens] - 1000 * weight) < 250


def test_any_of_a_group_is_picked_with_the_same_chance():
    rng = Random(3)

    picked = Counter(pick_any([0, 1, 2, 3], rng) for _ in range(8_000))

    assert all(abs(count - 2000) < 160 for count in picked.values())


def test_coverage_takes_the_rare_long_ones_of_a_skewed_pool():
    rng = Random(1)
    lengths = rng.choices(range(1, 9), [0.6**step for step in range(8)], k=4000)
    pool = Pool(["law"] * 4000, [length * 20 for length in lengths])

    covering = Counter(lengths[row] for row in draw_covering(pool.groups, pool.tokens, 400, Random(1), 8))
    at_random = Counter(lengths[row] for row in Random(1).sample(range(4000), 400))

    # Every length gives 50 or 51, but for the longest, of which the pool has no more than 45.
    assert sorted(covering.values()) == [45, 50, 50, 51, 51, 51, 51, 51]
    assert at_random[8] < 20 < 140 < at_random[1]


def test_what_an_empty_cell_cannot_give_the_others_do():
    pool = Pool(["a"] * 90 + ["b"] * 4, [10] * 90 + [10, 20, 30, 40])

    drawn = draw_covering(pool.groups, pool.tokens, 40, Random(1), 4)

    assert pool.domains_of(drawn) == {"a": 36, "b": 4}


def test_a_blueprint_is_met_to_the_question():
    pool = of_sizes(law=500, tax=500, audit=500)

    drawn = draw_by_weights(pool.groups, 101, Random(1), {"law": 3, "tax": 1, "audit": 0})

    assert pool.domains_of(drawn) == {"law": 76, "tax": 25}


def test_what_a_short_domain_cannot_give_is_shared_by_the_weights_of_the_others():
    pool = of_sizes(law=500, tax=500, audit=20)

    drawn = draw_by_weights(pool.groups, 100, Random(1), {"law": 1, "tax": 1, "audit": 2})

    assert pool.domains_of(drawn) == {"law": 40, "tax": 40, "audit": 20}
