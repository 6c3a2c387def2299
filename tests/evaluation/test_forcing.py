"""Budget forcing: no budget is exceeded, an answer is always asked for, and a cut is what a run would be."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.core.chat import BARE, QWEN, question_prompt
from evaluation.core.forcing import Cut, Thought, WrongMarkup, answer_prompt, cut_at, sweep, think
from evaluation.core.policy import WAIT, BudgetPolicy, widest
from tests.fakes import END_OF_THOUGHT, ScriptedGenerator, rambling, reciting

QUESTION = "How much is 2 and 3?"
ANSWER_TOKENS = 12

policy_lists = st.lists(
    st.builds(BudgetPolicy, max_tokens=st.integers(0, 60), extensions=st.integers(0, 3)),
    min_size=1,
    max_size=5,
    unique_by=lambda policy: policy.label,
)
models = st.builds(
    rambling, seed=st.integers(0, 10_000), one_stop_in=st.sampled_from([2, 5, 12, 30, 1_000_000])
)
questions = st.lists(st.text("abc 题\n", min_size=1, max_size=6), min_size=1, max_size=4)
many = settings(deadline=None, max_examples=150)


def prompts_of(generator, texts):
    return [generator.encode(question_prompt(BARE, text)) for text in texts]


def swept(script, policies, texts=(QUESTION,), markup=BARE):
    generator = ScriptedGenerator(script)
    rows = sweep(
        generator, prompts_of(generator, texts), policies, markup=markup, answer_tokens=ANSWER_TOKENS
    )
    return generator, rows


def thought_text(generator, thought, length=None):
    return generator.decode(thought.token_ids[:length])


@many
@given(models, policy_lists, questions)
def test_no_budget_is_ever_exceeded(script, policies, texts):
    _generator, rows = swept(script, policies, texts)

    for thought, answers in rows:
        assert len(thought.token_ids) <= widest(policies).max_tokens
        for policy, answer in zip(policies, answers, strict=True):
            assert answer.cut.length <= policy.max_tokens
            assert answer.answer_tokens <= ANSWER_TOKENS


@many
@given(models, policy_lists, questions)
def test_every_policy_is_answered_and_a_cut_thought_is_asked_for_its_final_answer(script, policies, texts):
    _generator, rows = swept(script, policies, texts)

    assert len(rows) == len(texts)
    for _thought, answers in rows:
        assert [answer.policy for answer in answers] == [policy.label for policy in policies]
        assert all(answer.text.startswith(BARE.final_answer) for answer in answers if answer.cut.forced_end)


@many
@given(models, policy_lists, questions)
def test_sampled_and_forced_tokens_make_the_total(script, policies, texts):
    generator = ScriptedGenerator(script)

    thoughts = think(generator, prompts_of(generator, texts), widest(policies), stop_ids=END_OF_THOUGHT)

    forced = sum(len(thought.forced_at) for thought in thoughts)
    assert generator.sampled_tokens + forced == sum(len(thought.token_ids) for thought in thoughts)
    for thought in thoughts:
        put_in = "".join(generator.decode([thought.token_ids[place]]) for place in thought.forced_at)
        assert (WAIT * len(thought.stops)).startswith(put_in)
        assert not set(thought.token_ids) & END_OF_THOUGHT


@many
@given(models, policy_lists, questions)
def test_every_cut_of_a_wide_thought_is_the_thought_made_under_that_policy_alone(script, policies, texts):
    generator = ScriptedGenerator(script)
    prompts = prompts_of(generator, texts)
    wide = think(generator, prompts, widest(policies), stop_ids=END_OF_THOUGHT)

    for policy in policies:
        alone = think(generator, prompts, policy, stop_ids=END_OF_THOUGHT)
        for one, other in zip(wide, alone, strict=True):
            cut = cut_at(one, policy)
            assert one.token_ids[: cut.length] == other.token_ids
            assert cut == cut_at(other, policy)
            assert cut.forced_tokens == len(other.forced_at)


@many
@given(models, policy_lists, questions)
def test_a_policy_is_answered_alike_whatever_else_is_swept(script, policies, texts):
    _generator, together = swept(script, policies, texts)

    for place, policy in enumerate(policies):
        _generator, alone = swept(script, [policy], texts)
        assert [answers[place] for _thought, answers in together] == [answers[0] for _t, answers in alone]


@many
@given(models, policy_lists, questions)
def test_a_batch_that_is_taken_up_in_two_parts_gives_the_same_thoughts(script, policies, texts):
    _generator, whole = swept(script, policies, texts)

    _generator, first = swept(script, policies, texts[:1])
    _generator, rest = swept(script, policies, texts[1:])

    assert first + rest == whole


def test_a_thought_within_its_budget_ends_as_the_model_ended_it():
    generator, [(thought, [answer])] = swept(reciting("2+3=5\n", answer="5"), [BudgetPolicy(50)])

    assert thought_text(generator, thought) == "2+3=5\n"
    assert answer.cut == Cut(length=6, forced_end=False, forced_tokens=0)
    assert answer.text == "Answer: 5"


def test_a_thought_that_is_cut_is_made_to_begin_its_final_answer():
    _generator, [(_thought, [answer])] = swept(reciting("2+3=5\n", answer="5"), [BudgetPolicy(3)])

    assert answer.cut == Cut(length=3, forced_end=True, forced_tokens=0)
    assert answer.text == "Final Answer: 5"
    assert answer.answer_tokens == len(" 5")  # the words that were put in are not the model's


def test_an_early_stop_is_answered_with_the_word_and_the_model_thinks_on():
    script = reciting("2+3=6", " no, 5", ". Sure.", answer="5")

    generator, [(thought, answers)] = swept(
        script, [BudgetPolicy(99, extensions=extensions) for extensions in (0, 1, 2)]
    )

    assert thought_text(generator, thought) == "2+3=6Wait no, 5Wait. Sure."
    assert [thought_text(generator, thought, answer.cut.length) for answer in answers] == [
        "2+3=6",
        "2+3=6Wait no, 5",
        "2+3=6Wait no, 5Wait. Sure.",
    ]
    assert [answer.cut.forced_tokens for answer in answers] == [0, 4, 8]
    assert not any(answer.cut.forced_end for answer in answers)


def test_the_word_itself_is_cut_where_the_budget_ends_in_it():
    generator, [(thought, [answer])] = swept(
        reciting("2+3=6", " no, 5", answer="5"), [BudgetPolicy(7, extensions=1)]
    )

    assert thought_text(generator, thought) == "2+3=6Wa"
    assert answer.cut == Cut(length=7, forced_end=True, forced_tokens=2)


def test_the_forced_words_count_against_the_one_total():
    # s1's code gives every round the whole budget again; here three rounds share it.
    script = reciting("a" * 20, "b" * 20, "c" * 20, answer="5")

    generator, [(thought, _answers)] = swept(script, [BudgetPolicy(50, extensions=2)])

    assert thought_text(generator, thought) == "a" * 20 + "Wait" + "b" * 20 + "Wait" + "cc"


def test_a_budget_of_nothing_answers_without_thinking():
    _generator, [(thought, [answer])] = swept(reciting("2+3=5", answer="5"), [BudgetPolicy(0)])

    assert thought.token_ids == []
    assert answer.text == "Final Answer: 5"


def test_a_model_that_stops_at_once_is_extended_by_words_alone_and_ends():
    generator, [(thought, [answer])] = swept(reciting("", "", answer="5"), [BudgetPolicy(50, extensions=3)])

    assert thought_text(generator, thought) == "WaitWaitWait"
    assert answer.cut == Cut(length=12, forced_end=False, forced_tokens=12)


def test_a_sweep_thinks_once_and_asks_equal_cuts_once():
    policies = [BudgetPolicy(budget) for budget in (2, 4, 50, 100, 200)]

    generator, [(thought, answers)] = swept(reciting("2+3=5", answer="5"), policies)

    assert generator.calls == [1, 3]  # one thought; cuts after 2, 4 and all 5 of its tokens
    assert generator.sampled_tokens == 5 + len(" 5") * 2 + len("Answer: 5")
    assert [answer.cut.length for answer in answers] == [2, 4, 5, 5, 5]
    assert len(thought.token_ids) == 5


@pytest.mark.parametrize("thinking", ["2+3=5", "2+3=5\n", ""])
def test_the_answer_begins_on_a_line_of_its_own(thinking):
    generator = ScriptedGenerator(reciting(answer="5"))
    thought = Thought(generator.encode(question_prompt(BARE, QUESTION)), generator.encode(thinking))

    ids, _words = answer_prompt(generator, thought, Cut(len(thinking), True, 0), BARE)

    before, asked, after = generator.decode(ids).rpartition(BARE.answer_start)
    assert asked
    assert before.endswith(f"think\n{thinking.rstrip()}\n")
    assert after == "Final Answer:"


def test_another_family_s_markup_asks_in_its_own_words():
    markup = replace(QWEN, final_answer="最终答案：")

    _generator, [(_thought, [answer])] = swept(
        reciting("二加三得五", answer="5"), [BudgetPolicy(2)], markup=markup
    )

    assert answer.text.startswith("最终答案：")


def test_thoughts_of_unlike_length_keep_their_places():
    texts = ["a", "b" * 9, "c" * 3]

    generator, rows = swept(rambling(7, one_stop_in=6), [BudgetPolicy(30, extensions=2)], texts)

    starts = [generator.decode(thought.prompt_ids) for thought, _answers in rows]
    assert starts == [question_prompt(BARE, text) for text in texts]


def test_a_mark_that_the_tokenizer_does_not_know_is_refused_not_cut_at_its_first_letter():
    markup = replace(BARE, name="other", stop="</think>")

    with pytest.raises(WrongMarkup, match="writes </think> as 8 tokens; choose the markup"):
        swept(reciting("2 < 3", answer="5"), [BudgetPolicy(50)], markup=markup)
