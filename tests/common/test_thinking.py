"""A reply is parted into thinking and answer in every shape, and nothing but the tags is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.thinking import FORMS, Parted, part, split_thinking

TAGS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("◁think▷", "◁/think▷"),
    ("[THINK]", "[/THINK]"),
]
# Text without what could be part of a tag, in both scripts, and with what a reply is full of.
WORDS = st.text(alphabet="ab 12+=\n。，二加等于四思考é😀`\\$*{}", max_size=40)


@pytest.mark.parametrize(
    ("content", "thinking", "answer"),
    [
        ("4", "", "4"),
        ("", "", ""),
        ("<think>2+2</think>4", "2+2", "4"),
        ("<think>a<think>b</think>c</think>4", "a<think>b</think>c", "4"),
        ("<think>the tag <think> opens it</think>4", "the tag <think> opens it", "4"),
        ("<think>2+2</think>4 as in <think>b</think>", "2+2", "4 as in <think>b</think>"),
        ("  \n<think>\n2+2\n</think>\n\n4\n", "2+2", "4"),
        ("<Think>2+2</THINK>4", "2+2", "4"),
        ("2+2</think>4", "2+2", "4"),
        ("<think>2+2", "2+2", ""),
        ("<think>", "", ""),
        ("<think>\n\n</think>\n\n4", "", "4"),
        ("<think>一</think>\n<think>二</think>四", "一\n\n二", "四"),
        ("<think>一</think>\n<think>二", "一\n\n二", ""),
        ("<think>先想二加二。</think>答案：四", "先想二加二。", "答案：四"),
        ("The tag <think> is not closed", "", "The tag <think> is not closed"),
        ("Sure.\n<think>2+2</think>\n4", "2+2", "Sure.\n\n4"),
        ("I may write <think> here. 2+2</think>4", "I may write <think> here. 2+2", "4"),
        ("<think>Is </thinking> a tag?</think>4", "Is </thinking> a tag?", "4"),
        ("<think>2+2</think>Write <think>x</think> for it", "2+2", "Write <think>x</think> for it"),
        (
            "<|begin_of_thought|>2+2<|end_of_thought|>\n<|begin_of_solution|>4<|end_of_solution|>",
            "2+2",
            "4",
        ),
        ("a < b and b > c", "", "a < b and b > c"),
    ],
)
def test_a_thought_in_tags_is_parted_from_its_answer(content, thinking, answer):
    assert split_thinking(content) == (thinking, answer)


@pytest.mark.parametrize(("opening", "closing"), TAGS)
@given(thinking=WORDS, answer=WORDS)
def test_what_stands_between_tags_is_the_thinking_and_the_rest_the_answer(opening, closing, thinking, answer):
    whole = f"{opening}{thinking}{closing}{answer}"

    assert split_thinking(whole) == (thinking.strip(), answer.strip())
    assert split_thinking(f"{thinking}{closing}{answer}") == (thinking.strip(), answer.strip())
    assert split_thinking(f"{opening}{thinking}") == (thinking.strip(), "")


@given(
    pieces=st.lists(st.one_of(WORDS, st.sampled_from([tag for pair in TAGS for tag in pair])), max_size=12)
)
def test_no_character_is_lost_but_those_of_tags(pieces):
    content = "".join(pieces)

    thinking, answer = split_thinking(content)

    def letters_of(text):
        for tag in (tag for pair in TAGS for tag in pair):
            text = text.replace(tag, "")
        return sorted("".join(text.split()))

    assert letters_of(thinking + answer) == letters_of(content)


@given(text=WORDS)
def test_a_reply_without_tags_is_all_answer(text):
    assert split_thinking(text) == ("", text.strip())


@pytest.mark.parametrize(
    ("message", "thinking", "is_summary"),
    [
        ({}, "", False),
        ({"reasoning_content": "2+2"}, "2+2", False),
        ({"reasoning": "2+2"}, "2+2", False),
        ({"reasoning": None, "reasoning_content": "二加二"}, "二加二", False),
        ({"reasoning": {"text": "2+2"}}, "2+2", False),
        ({"reasoning": {"summary": "He adds."}}, "He adds.", True),
        ({"reasoning": {"summary": [{"type": "summary_text", "text": "He adds."}]}}, "He adds.", True),
        ({"reasoning": [{"type": "summary_text", "text": "One."}, {"text": "Two."}]}, "One.\n\nTwo.", False),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "2+2"}]}, "2+2", False),
        (
            {"reasoning_details": [{"type": "reasoning.text", "text": piece, "index": 0} for piece in "2+2"]},
            "2+2",
            False,
        ),
        (
            {"reasoning_details": [{"type": "reasoning.summary", "summary": text} for text in ("A.", "B.")]},
            "A.\n\nB.",
            True,
        ),
        (
            {"reasoning": "He adds.", "reasoning_details": [{"type": "reasoning.summary", "summary": "…"}]},
            "He adds.",
            True,
        ),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "c2VjcmV0"}]}, "", False),
        ({"reasoning_summary": "He adds."}, "He adds.", True),
        ({"reasoning_content": 22}, "", False),
        ({"reasoning_content": [22, None, [["x"]]]}, "x", False),
    ],
)
def test_thinking_is_found_in_the_fields_that_providers_use(message, thinking, is_summary):
    assert part({"content": "4", **message}) == Parted(thinking, "4", is_summary)


def test_parts_of_a_content_that_name_their_kind_are_told_apart():
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "2+2"}]},
        {"type": "text", "text": "4"},
    ]

    assert part({"content": content}) == Parted("2+2", "4")


def test_what_google_s_endpoint_marks_as_a_thought_is_a_summary():
    message = {
        "content": "<thought>He adds.</thought>4",
        "extra_content": {"google": {"thought": True}},
    }

    assert part(message) == Parted("He adds.", "4", is_summary=True)


FIELD_AND_TAGS = {"reasoning_content": "in the field", "content": "<think>in tags</think>4"}


@pytest.mark.parametrize(
    ("form", "message", "parted"),
    [
        ("found", FIELD_AND_TAGS, Parted("in the field\n\nin tags", "4")),
        ("found", {"reasoning": "2+2", "content": "<think>2+2</think>4"}, Parted("2+2", "4")),
        ("found", {"reasoning": "2", "content": "<think>2+2</think>4"}, Parted("2+2", "4")),
        (
            "found",
            {"content": [{"type": "reasoning", "summary": [{"text": "sum"}]}, {"type": "text", "text": "4"}]},
            Parted("sum", "4", is_summary=True),
        ),
        (
            "found",
            {"content": [{"type": "thinking", "thinking": "2+2"}, {"type": "text", "text": "4"}]},
            Parted("2+2", "4"),
        ),
        ("found", {"reasoning_content": "2+2", "content": "</think>\n\n4"}, Parted("2+2", "4")),
        ("field", FIELD_AND_TAGS, Parted("in the field", "<think>in tags</think>4")),
        ("field", {"content": "<think>in tags</think>4"}, Parted("", "<think>in tags</think>4")),
        ("tags", FIELD_AND_TAGS, Parted("in tags", "4")),
        ("tags", {"reasoning": "2+2", "content": "4"}, Parted("2+2", "4")),
        ("summary", {"reasoning": "He adds.", "content": "4"}, Parted("He adds.", "4", is_summary=True)),
        ("summary", {"content": "<thought>Hm.</thought>4"}, Parted("Hm.", "4", is_summary=True)),
        ("summary", {"content": "4"}, Parted("", "4")),
        ("none", FIELD_AND_TAGS, Parted("", "<think>in tags</think>4")),
    ],
)
def test_what_is_known_of_an_endpoint_decides_where_its_thinking_is_looked_for(form, message, parted):
    assert part(message, form) == parted


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "summary", "type", "index", "thinking", "google", "thought"]),
            inner,
            max_size=3,
        )
    ),
)
NAMES = ["content", "reasoning", "reasoning_content", "reasoning_details", "extra_content", "summary"]


@given(message=st.dictionaries(st.sampled_from(NAMES), JSON), form=st.sampled_from(FORMS))
def test_whatever_a_message_holds_two_texts_come_of_it(message, form):
    parted = part(message, form)

    assert isinstance(parted.thinking, str)
    assert isinstance(parted.answer, str)
    assert not parted.is_summary or parted.thinking


def test_lists_within_lists_without_end_are_given_up():
    nested = "deep"
    for _level in range(500):
        nested = [nested]

    assert part({"reasoning": nested, "content": "4"}) == Parted("", "4")
