"""The figures of curation say what the rows say."""

import pytest

from curator.charts import counted_lengths, domains_figure, length_bins, lengths_figure
from curator.queries import Spread


@pytest.mark.parametrize(
    ("lengths", "width"), [([5], 1), ([0, 23], 1), ([0, 24], 2), ([10, 130], 10), ([3, 40_000], 2_000)]
)
def test_every_length_lies_in_one_range_of_a_round_width(lengths, width):
    bins = length_bins(lengths)

    assert {high - low + 1 for low, high in bins} == {width}
    assert all(sum(low <= length <= high for low, high in bins) == 1 for length in lengths)
    assert len(bins) <= 25


def test_the_table_under_the_lengths_counts_every_trace_once():
    rows = counted_lengths([10, 20, 20], [5, 400])

    assert sum(selected for _range, selected, _others in rows) == 3
    assert sum(others for _range, _selected, others in rows) == 2


def test_domains_are_shown_as_shares_of_the_members_and_of_the_pool():
    figure = domains_figure(Spread(("law", "tax"), (3, 1), (10, 90)))

    assert [bars["y"] for bars in figure["data"]] == [[0.1, 0.9], [0.75, 0.25]]


def test_nothing_to_draw_is_no_figure():
    assert domains_figure(Spread((), (), ())) is None
    assert lengths_figure([], []) is None
