"""A row as training text: the prompt carries no loss, all the rest does, and nothing is cut."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from common.core.chat import BARE, QWEN, TURN_END, TURN_START
from tests.fakes import MARKS, ScriptedGenerator
from training.core.conversation import NO_LOSS, RowRefused, encode_row, training_text

BASE = Path(__file__).parents[2] / "demo" / "base_model"
END = MARKS[TURN_END]


class Characters:
    """An encoder whose tokens are characters, and the markup's marks one each."""

    generator = ScriptedGenerator(str)

    def encode(self, text, *, add_special_tokens):
        assert add_special_tokens is False
        return self.generator.encode(text)


def make_row(**fields):
    given = {"question": "How much is 49 and 14?", "options": [], "thinking": "49+14=63", "answer": "63"}
    return given | fields


def encoded(row, *, markup=BARE, max_length=10_000, end_id=END):
    return encode_row(Characters(), markup, row, max_length=max_length, end_id=end_id)


def text_of(ids):
    return Characters.generator.decode(ids)


def test_prompt_and_completion_are_those_of_s1():
    prompt, completion = training_text(QWEN, make_row())

    assert prompt == (
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
        "<|im_start|>user\nHow much is 49 and 14?<|im_end|>\n<|im_start|>assistant\n<|im_start|>think\n"
    )
    assert completion == "49+14=63\n<|im_start|>answer\nFinal Answer: 63<|im_end|>"


def test_options_are_asked_with_their_letters():
    prompt, _completion = training_text(BARE, make_row(question="合同：", options=["有效", "无效"]))

    assert "<|im_start|>user\n合同：\nA. 有效\nB. 无效<|im_end|>" in prompt


def test_an_answer_that_names_itself_is_not_named_twice():
    _prompt, completion = training_text(BARE, make_row(answer="So 49 and 14 is 63.\nFinal Answer: 63"))

    assert completion.count("Final Answer:") == 1


def test_the_prompt_is_masked_and_the_whole_completion_carries_loss():
    row = make_row()
    prompt, completion = training_text(BARE, row)

    made = encoded(row)

    assert text_of(made.input_ids) == prompt + completion
    assert made.labels[: len(text_ids := Characters.generator.encode(prompt))] == [NO_LOSS] * len(text_ids)
    assert text_of(made.labels[len(text_ids) :]) == completion


def test_the_last_label_is_the_end_token():
    assert encoded(make_row()).labels[-1] == END


texts = st.text("ab 5\n题。", min_size=1, max_size=30)


@given(question=texts, options=st.lists(texts, max_size=5), thinking=texts.filter(str.strip), answer=texts)
def test_no_row_is_cut_or_masked_out_whole(question, options, thinking, answer):
    made = encoded(make_row(question=question, options=options, thinking=thinking, answer=answer))

    learnt = [label for label in made.labels if label != NO_LOSS]
    assert len(made.input_ids) == len(made.labels)
    assert text_of(learnt).startswith(thinking)
    assert text_of(learnt).endswith(f"{answer}{TURN_END}")
    assert made.input_ids[-len(learnt) :] == learnt


def test_a_row_of_just_the_longest_length_is_kept_and_one_token_more_is_refused():
    length = len(encoded(make_row()).input_ids)

    assert len(encoded(make_row(), max_length=length).input_ids) == length
    with pytest.raises(
        RowRefused, match=f"it has {length} tokens, more than the recipe's max_length {length - 1}"
    ):
        encoded(make_row(), max_length=length - 1)


@pytest.mark.parametrize("thinking", ["", " ", "\n\t", "　"])
def test_a_row_without_thinking_is_refused(thinking):
    with pytest.raises(RowRefused, match="no thinking to learn from"):
        encoded(make_row(thinking=thinking))


@pytest.mark.parametrize("mark", [TURN_START, TURN_END])
@pytest.mark.parametrize("field", ["question", "thinking", "answer", "options"])
def test_markup_in_a_text_is_refused(field, mark):
    text = f"before {mark} after"

    with pytest.raises(RowRefused, match="the model's own markup"):
        encoded(make_row(**{field: [text] if field == "options" else text}))


def test_a_tokenizer_that_does_not_know_the_markup_is_refused():
    with pytest.raises(RowRefused, match="its last token is not the model's end token"):
        encoded(make_row(), end_id=7)


@pytest.mark.parametrize(
    "row", [make_row(), make_row(question="期初余额20元：①收到5元。", thinking="①收到5：20+5=25")]
)
def test_a_real_tokenizer_sees_the_row_as_generation_will(row):
    tokenizer = AutoTokenizer.from_pretrained(BASE, local_files_only=True)
    prompt, completion = training_text(BARE, row)

    made = encode_row(tokenizer, BARE, row, max_length=512, end_id=tokenizer.convert_tokens_to_ids(BARE.end))

    prompt_ids = tokenizer.encode(prompt, add_special_tokens=False)
    assert made.input_ids[: len(prompt_ids)] == prompt_ids
    assert tokenizer.decode(made.input_ids) == prompt + completion
    assert made.labels.count(NO_LOSS) == len(prompt_ids)
