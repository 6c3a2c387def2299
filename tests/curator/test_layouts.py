"""Files of traces are known by their columns, and their rows are taken apart without losing a word."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.text import content_hash
from curator.core.layouts import (
    GIVEN,
    Fault,
    NoTrace,
    NoTraces,
    TraceRow,
    complete_mapping,
    look_like_traces,
    makers,
    parse_trace_mapping,
    read_trace_row,
    recognise,
)

QUESTION = "What is 2+2?"
S1K = {
    "solution": "4",
    "question": QUESTION,
    "cot_type": "math",
    "source_type": "exam",
    "metadata": "{}",
    "cot": None,
    "thinking_trajectories": ["Two and two.", "That is four."],
    "attempt": "\\boxed{4}",
}
S1K_1_1 = {
    "solution": "4",
    "question": QUESTION,
    "cot_type": "math",
    "source_type": "exam",
    "metadata": "{}",
    "gemini_thinking_trajectory": "gemini thinks",
    "gemini_attempt": "gemini says 4",
    "deepseek_thinking_trajectory": "deepseek thinks",
    "deepseek_attempt": "deepseek says 4",
    "gemini_grade": "Yes",
    "deepseek_grade": "Yes",
}
LIMO = {
    "question": QUESTION,
    "solution": "Two and two.\n\nLet me check.\n\n**Final Answer**\n\n\\boxed{4}",
    "answer": "4",
}
OPEN_THOUGHTS = {
    "system": "Your role as an assistant involves thoroughly exploring questions …",
    "conversations": [
        {"from": "user", "value": f"Return your final response within \\boxed{{}}. {QUESTION}"},
        {
            "from": "assistant",
            "value": "<|begin_of_thought|>\n\nTwo and two.\n\n<|end_of_thought|>\n\n"
            "<|begin_of_solution|>\n\n\\boxed{4}\n\n<|end_of_solution|>",
        },
    ],
}
OPEN_THOUGHTS_METADATA = {
    "problem": QUESTION,
    "deepseek_reasoning": "Two and two.",
    "deepseek_solution": "\\boxed{4}",
    "ground_truth_solution": "4",
    "domain": "math",
    "source": "exam",
    "test_cases": None,
    "starter_code": None,
}
OPEN_R1 = {
    "problem": QUESTION,
    "solution": "4",
    "answer": "4",
    "problem_type": "Algebra",
    "question_type": "math-word-problem",
    "source": "exam",
    "uuid": "u-1",
    "is_reasoning_complete": [True, False],
    "generations": ["<think>\nTwo and two.\n</think>\n\n\\boxed{4}", "<think>\nTwo and"],
    "correctness_math_verify": [True, False],
    "correctness_llama": None,
    "finish_reasons": None,
    "correctness_count": 1,
    "messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "one of them"}],
}


def chat(*replies, **more):
    return {"messages": [{"role": "user", "content": QUESTION}, *replies], **more}


def read(row, teacher="", maker="", **mapping):
    found = complete_mapping(tuple(row), mapping, teacher=teacher, maker=maker, file_name="f.jsonl")
    return found.layout, read_trace_row(row, found.mapping)


def samples(row, **given):
    _layout, found = read(row, **given)
    assert isinstance(found, TraceRow), found
    return [(each.thinking, each.answer, each.finish_reason) for each in found.samples]


@pytest.mark.parametrize(
    ("row", "layout", "wanted"),
    [
        (S1K, "s1K", [("Two and two.\n\nThat is four.", "\\boxed{4}", "")]),
        (
            LIMO,
            "LIMO",
            [("Two and two.\n\nLet me check.", "**Final Answer**\n\n\\boxed{4}", "")],
        ),
        (OPEN_THOUGHTS, "OpenThoughts", [("Two and two.", "\\boxed{4}", "")]),
        (OPEN_THOUGHTS_METADATA, "pairs", [("Two and two.", "\\boxed{4}", "")]),
        (OPEN_R1, "open-r1", [("Two and two.", "\\boxed{4}", ""), ("Two and", "", "length")]),
        (
            chat({"role": "assistant", "content": "4", "reasoning_content": "Two and two."}),
            "chat",
            [("Two and two.", "4", "")],
        ),
    ],
)
def test_known_layouts_are_known_by_their_columns(row, layout, wanted):
    found, trace = read(row)

    assert found == layout
    assert content_hash(QUESTION) in trace.identities
    assert samples(row) == wanted


@pytest.mark.parametrize("row", [S1K, LIMO, OPEN_THOUGHTS, OPEN_R1])
def test_a_row_is_read_the_same_where_its_lists_are_written_out_as_json(row):
    """CSV has no lists."""
    written = {
        name: json.dumps(cell, ensure_ascii=False) if isinstance(cell, list) else cell
        for name, cell in row.items()
    }

    assert read(written) == read(row)


@pytest.mark.parametrize(
    ("content", "thinking", "answer"),
    [
        ("<think>so</think>4", "so", "4"),
        ("<think>so", "so", ""),
        ("so</think>4", "so", "4"),
        ("4", "", "4"),
        ("<思考>4", "", "<思考>4"),
    ],
)
def test_think_tags_in_a_chat_message_part_it(content, thinking, answer):
    [(thought, said, _end)] = samples(chat({"role": "assistant", "content": content}))

    assert (thought, said) == (thinking, answer)


def test_a_summary_that_a_message_calls_one_is_marked():
    _layout, found = read(chat({"role": "assistant", "content": "4", "reasoning_summary": "Added."}))

    assert [each.is_summary for each in found.samples] == [True]


@pytest.mark.parametrize(("user", "assistant"), [("human", "gpt"), ("user", "assistant"), ("Human", "Model")])
def test_the_parts_of_a_conversation_have_several_names(user, assistant):
    row = {"conversations": [{"from": user, "value": QUESTION}, {"from": assistant, "value": "so</think>4"}]}

    assert samples(row) == [("so", "4", "")]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (chat(), Fault.NO_REPLY),
        ({"messages": "no list"}, Fault.NO_CONVERSATION),
        ({"messages": None}, Fault.NO_CONVERSATION),
        ({"messages": ["a", "b"]}, Fault.NO_CONVERSATION),
        (
            chat({"role": "assistant", "content": "4"}, {"role": "user", "content": "Sure?"}),
            Fault.SEVERAL_TURNS,
        ),
        ({"question": "", "thinking": "so", "answer": "4"}, Fault.NO_QUESTION),
        ({"question": QUESTION, "generations": []}, Fault.NO_REPLY),
        ({"question": QUESTION, "thinking": ["a", "b", "c"], "answer": ["1", "2"]}, Fault.UNEVEN),
    ],
)
def test_a_row_that_holds_no_trace_says_why(row, fault):
    _layout, found = read(row)

    assert isinstance(found, NoTrace)
    assert found.fault == fault


def test_answers_and_thoughts_in_lists_are_paired():
    row = {"question": QUESTION, "thinking": ["a", "b"], "answer": ["1", "2"]}

    assert samples(row) == [("a", "1", ""), ("b", "2", "")]


@pytest.mark.parametrize(
    ("thinking", "answer", "wanted"),
    [
        ("<think>so</think>", "4", ("so", "4")),
        ("<think>so</think>4", "", ("so", "4")),
        ("so", "<think></think>4", ("so", "4")),
        ("so", "</think>\n4", ("so", "4")),
        ("", "<think>so</think>4", ("so", "4")),
        (None, "4", ("", "4")),
        (7.0, 4, ("7", "4")),
    ],
)
def test_tags_that_columns_keep_are_taken_off(thinking, answer, wanted):
    [(thought, said, _end)] = samples({"question": QUESTION, "thinking": thinking, "answer": answer})

    assert (thought, said) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Add.\n\n### Final Answer\n4", ("Add.", "### Final Answer\n4")),
        ("**Final Answer**\n3\n\nNo.\n\n**Final Answer:** 4", ("**Final Answer**\n3\n\nNo.", "**Final Answer:** 4")),
        ("相加。\n\n**最终答案**\n四", ("相加。", "**最终答案**\n四")),
        ("Add.\n\nSo \\boxed{3}.\n\nSo \\boxed{4}.\n\nDone.", ("Add.\n\nSo \\boxed{3}.", "So \\boxed{4}.\n\nDone.")),
        ("So \\boxed{4}.", ("", "So \\boxed{4}.")),
        ("It is four.", ("It is four.", "")),
        ("<think>Add.</think>4", ("Add.", "4")),
    ],
)  # fmt: skip
def test_a_chain_without_tags_is_parted_where_it_comes_to_its_answer(text, wanted):
    [(thought, said, _end)] = samples({"question": QUESTION, "solution": text, "answer": "4"})

    assert (thought, said) == wanted


@pytest.mark.parametrize(
    ("row", "end"),
    [
        ({"thinking": "so", "answer": "4", "finish_reason": "length"}, "length"),
        ({"thinking": "so", "answer": "4"}, ""),
        ({"thinking": "so", "answer": ""}, ""),
        ({"generations": ["so</think>4"], "finish_reasons": ["tool"]}, "tool"),
        ({"thinking": "so", "answer": "4", "finish_reason": "x" * 50}, "x" * 40),
    ],
)
def test_it_is_said_how_a_reply_ended_as_far_as_it_is_known(row, end):
    [(_thinking, _answer, found)] = samples({"question": QUESTION, **row})

    assert found == end


@pytest.mark.parametrize(
    ("given", "thinking"),
    [
        ({"maker": "gemini"}, "gemini thinks"),
        ({"teacher": "DeepSeek-R1"}, "deepseek thinks"),
        ({"teacher": "DeepSeek-R1", "maker": "gemini"}, "gemini thinks"),
        ({"thinking": "gemini_thinking_trajectory", "answer": "gemini_attempt"}, "gemini thinks"),
    ],
)
def test_of_makers_side_by_side_the_one_that_is_named_is_read(given, thinking):
    assert tuple(makers(tuple(S1K_1_1))) == ("gemini", "deepseek")
    [(found, _answer, _end)] = samples(S1K_1_1, **given)
    assert found == thinking


@pytest.mark.parametrize("given", [{}, {"teacher": "R1"}, {"maker": "qwen"}, {"teacher": "gemini-deepseek"}])
def test_of_makers_side_by_side_none_is_guessed(given):
    with pytest.raises(NoTraces, match="replies of gemini, deepseek side by side"):
        read(S1K_1_1, **given)


def test_what_a_person_says_goes_before_what_is_found():
    layout, found = read(LIMO, thinking="solution", answer="answer")

    assert layout == GIVEN
    assert (found.samples[0].thinking, found.samples[0].answer) == (LIMO["solution"], "4")


def test_a_field_that_is_given_as_empty_has_no_column():
    _layout, found = read({"id": "7", "question": QUESTION, "thinking": "a", "answer": "b"}, external_id="")

    assert found.external_id == ""


def test_a_column_of_teachers_is_known_where_no_teacher_is_named():
    row = {"question": QUESTION, "thinking": "a", "answer": "b", "teacher": "R1", "licence": "MIT"}

    named = complete_mapping(tuple(row), {}, teacher="R2", file_name="f.jsonl")
    given = complete_mapping(tuple(row), {"teacher": "teacher"}, teacher="R2", file_name="f.jsonl")

    assert (read(row)[1].teacher, read(row)[1].licence) == ("R1", "MIT")
    assert read_trace_row(row, named.mapping).teacher == ""
    assert read_trace_row(row, given.mapping).teacher == "R1"


@pytest.mark.parametrize(
    ("columns", "are_traces"),
    [
        (["question", "thinking", "answer", "reference"], True),
        (["题目", "思考过程", "答案"], True),
        (["question", "gemini_thinking_trajectory", "gemini_attempt"], True),
        (["conversations"], True),
        (["question", "answer", "solution"], False),
        (["题目", "选项", "答案", "解析"], False),
    ],
)
def test_a_file_that_holds_thinking_looks_like_traces(columns, are_traces):
    assert look_like_traces(columns) is are_traces


@pytest.mark.parametrize(
    ("columns", "given", "sentence"),
    [
        (("question", "solution", "key"), {}, "f.jsonl has no column thinking"),
        (("question", "thinking"), {}, "f.jsonl has no column answer"),
        (("thinking", "answer"), {}, "f.jsonl has neither a column question nor a column id"),
        (("question", "thinking", "answer"), {"thought": "thinking"}, "There is no field 'thought'"),
        (("question", "thinking", "answer"), {"thinking": "思考"}, "f.jsonl has no column '思考'"),
    ],
)
def test_columns_that_do_not_say_where_the_traces_are_are_refused(columns, given, sentence):
    with pytest.raises(NoTraces) as refused:
        complete_mapping(columns, given, file_name="f.jsonl")

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        (["thinking"], "is no FIELD=COLUMN"),
        (["=x"], "is no FIELD=COLUMN"),
        (["thinking=a", "thinking=b"], "names 'thinking' twice"),
        (["colour=a"], "There is no field 'colour'"),
    ],
)
def test_a_mapping_that_is_none_is_refused(pairs, sentence):
    with pytest.raises(NoTraces) as refused:
        parse_trace_mapping(pairs)

    assert sentence in str(refused.value)


def test_a_mapping_is_read_as_a_person_types_it():
    assert parse_trace_mapping(["thinking=思考", "options="]) == {"thinking": "思考", "options": ""}


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([S1K, LIMO, OPEN_THOUGHTS, OPEN_R1, chat()]), anything, st.data())
def test_no_cell_breaks_the_reading_of_a_row(row, cell, data):
    column = data.draw(st.sampled_from(sorted(row)))
    mapping = recognise(tuple(row)).mapping

    found = read_trace_row({**row, column: cell}, mapping)

    assert isinstance(found, TraceRow | NoTrace)


plain = st.text(st.characters(exclude_characters="<>◁[|", categories=("L", "N", "P", "Z")), min_size=1)


@given(plain.filter(str.strip), plain.filter(str.strip))
def test_a_reply_is_parted_without_losing_a_word(thinking, answer):
    [(thought, said, _end)] = samples(
        {"question": QUESTION, "generations": [f"<think>\n{thinking}\n</think>\n\n{answer}"]}
    )

    assert (thought, said) == (thinking.strip(), answer.strip())
