"""Dates in both languages, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.dates import Day, dates_in, is_date

SAME_DAY = [
    "2024-03-05", "2024/3/5", "2024.03.05", "March 5, 2024", "Mar. 5, 2024", "5 March 2024", "5th of March, 2024",
    "2024年3月5日", "2024 年 03 月 05 日", "二〇二四年三月五日", "二零二四年三月五号", "２０２４年３月５日",
]  # fmt: skip


@pytest.mark.parametrize("text", SAME_DAY)
def test_one_day_is_read_however_it_is_written(text):
    assert dates_in(text) == {Day(2024, 3, 5)}
    assert is_date(text)


def test_a_date_of_two_readings_has_both_and_one_with_a_thirteenth_month_only_one():
    assert dates_in("03/05/2024") == {Day(2024, 3, 5), Day(2024, 5, 3)}
    assert dates_in("13/05/2024") == {Day(2024, 5, 13)}


@pytest.mark.parametrize(
    ("text", "day"),
    [("3月5日", Day(None, 3, 5)), ("十二月二十五日", Day(None, 12, 25)), ("March 2024", Day(2024, 3, None))],
)
def test_what_a_date_leaves_open_stays_open(text, day):
    assert dates_in(text) == {day}


@pytest.mark.parametrize(
    "text", ["", "2024", "3/4", "2024-13-05", "2024-02-30", "12:30", "1.2.3", "maybe 5", "x" * 99]
)
def test_what_is_no_date_has_none(text):
    assert not dates_in(text)
    assert not is_date(text)


def test_a_date_among_words_is_found_but_the_words_are_no_date():
    assert dates_in("on Tuesday, March 5, 2024") == {Day(2024, 3, 5)}
    assert not is_date("on Tuesday, March 5, 2024")


@given(st.dates())
def test_every_day_comes_back_in_both_languages(day):
    wanted = {Day(day.year, day.month, day.day)}

    assert dates_in(f"{day:%Y-%m-%d}".zfill(10)) == wanted
    assert dates_in(f"{day.year:04}年{day.month}月{day.day}日") == wanted
