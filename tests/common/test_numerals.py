"""Chinese numerals as digits, and words that only look like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.numerals import chinese_number

READ = {
    "十": "10", "十二": "12", "二十": "20", "一百零二": "102", "一百二": "120", "一百二十": "120", "两千零三": "2003",
    "三万五": "35000", "三万五千": "35000", "一万零五": "10005", "一千万": "10000000", "一亿两千万": "120000000",
    "3万5千": "35000", "1亿2000万": "120000000", "二〇二四": "2024", "三点一四": "3.14", "负三": "-3", "三分之二": "2/3",
    "百分之五": "5%", "百分之十二点五": "12.5%", "一又二分之一": "1 1/2", "壹佰贰拾": "120", "九千九百九十九": "9999",
}  # fmt: skip
NONE = [
    "",
    "一般",
    "万一",
    "七八千",
    "第一",
    "百姓",
    "1200",
    "1.2亿",
    "十分重要",
    "三角形",
    "一" * 60,
    "千方百计",
]
DIGITS, PLACES = "零一二三四五六七八九", ["", "十", "百", "千"]


@pytest.mark.parametrize(("text", "digits"), READ.items())
def test_a_numeral_is_read_as_digits(text, digits):
    assert chinese_number(text) == (digits, len(text))


@pytest.mark.parametrize("text", NONE)
def test_a_word_is_no_numeral(text):
    assert chinese_number(text) is None


@pytest.mark.parametrize("counted", ["个", "人", "元", "分钟", "平方米", "个月", "°"])
def test_what_a_numeral_counts_may_follow(counted):
    assert (chinese_number(f"十二{counted}") is not None) == (counted != "°")


def written(number):
    """Return a whole number below ten thousand in Chinese."""
    signs = ""
    for place, digit in enumerate(reversed(str(number))):
        signs = (DIGITS[int(digit)] + PLACES[place] if digit != "0" else "零") + signs
    while "零零" in signs:
        signs = signs.replace("零零", "零")
    return signs.rstrip("零")


@given(st.integers(1, 9999))
def test_every_number_below_ten_thousand_comes_back(number):
    assert chinese_number(written(number)) == (str(number), len(written(number)))
