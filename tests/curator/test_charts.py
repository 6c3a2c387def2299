"""The figures of curation say what the rows say."""

import pytest

from curator.charts import counted_lengths, domains_figure, length_bins, lengths_figure, verdicts_figure
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

    assert [bars["x"] for bars in figure["data"]] == [[0.1, 0.9], [0.75, 0.25]]
    assert [bars["y"] for bars in figure["data"]] == [[0, 1], [0, 1]]


def test_a_chart_of_domains_is_as_high_as_it_has_bars():
    def height(domains):
        names = tuple(f"domain {number}" for number in range(domains))
        return domains_figure(Spread(names, (1,) * domains, (1,) * domains))["layout"]["height"]

    assert height(1) == height(2) < height(3) < height(20)
    assert (height(20) - height(10)) / 10 >= 30  # pixels: two bars and two lines of a label
    assert height(31) == height(30)


def test_long_names_are_wrapped_and_cut_but_whole_when_pointed_at():
    names = ("Intermediate accounting and reporting", "中级财务会计与报告实务操作指南", "<b>law</b>", "law")

    figure = domains_figure(Spread(names, (1, 1, 1, 1), (1, 1, 1, 1), (0.25, 0.25, 0.25, 0.25)))

    assert figure["layout"]["yaxis"]["ticktext"] == [
        "Intermediate<br>accounting and r…",
        "中级财务会计与报<br>告实务操作指南",
        "&lt;b&gt;law&lt;/b&gt;",
        "law",
    ]
    assert figure["data"][0]["hovertext"][0] == names[0]
    assert figure["data"][2]["text"][2] == "&lt;b&gt;law&lt;/b&gt;"


@pytest.mark.parametrize("longest", [10, 900, 12_000, 40_000])
def test_a_few_of_the_ranges_of_lengths_are_named_at_their_beginning(longest):
    axis = lengths_figure([0, longest], [])["layout"]["xaxis"]

    assert 2 <= len(axis["tickvals"]) == len(axis["ticktext"]) <= 5
    for name, said in zip(axis["tickvals"], axis["ticktext"], strict=True):
        assert name.startswith(f"{said}–")


def test_a_verdict_of_several_words_is_wrapped_under_its_bar():
    (bars,) = verdicts_figure([("unparsed", "no answer found", 3)])["data"]

    assert bars["x"] == ["no answer<br>found"]
    assert bars["hovertext"] == ["no answer found"]


def test_nothing_to_draw_is_no_figure():
    assert domains_figure(Spread((), (), ())) is None
    assert lengths_figure([], []) is None
