"""What every Generator keeps: the same checks on the fake, on transformers and, with a card, on vLLM."""

from pathlib import Path
from random import Random

import pytest

from common.core.chat import BARE, question_prompt
from demo.field import make_question
from evaluation.core.forcing import sweep
from evaluation.core.policy import BudgetPolicy
from tests.fakes import ScriptedGenerator, rambling

BASE = Path(__file__).parents[1] / "demo" / "base_model"
TEXTS = ["The balance is 4096.", "期初余额20元：①收到5元。", "émigré 🎓\n\tтекст", "", "  two  blanks\n\n"]


def scripted():
    return ScriptedGenerator(rambling(3, one_stop_in=25))


def transformers():
    import torch

    from evaluation.runner.transformers_generator import TransformersGenerator

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield TransformersGenerator(str(BASE), rows_at_once=4)
    finally:
        torch.set_num_threads(threads)


def vllm():
    pytest.importorskip("vllm", reason="vLLM is not installed")
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("vLLM needs a card")

    from evaluation.runner.vllm_generator import VllmGenerator

    return VllmGenerator(str(BASE), dtype="float32")


@pytest.fixture(
    scope="module",
    params=[scripted, transformers, pytest.param(vllm, marks=pytest.mark.gpu)],
    ids=lambda p: p.__name__,
)
def generator(request):
    made = request.param()
    if request.param is transformers:
        yield next(made)
        made.close()
    else:
        yield made


@pytest.fixture
def stop_ids(generator):
    return frozenset(generator.encode(BARE.stop) + generator.encode(BARE.end))


@pytest.fixture
def prompts(generator):
    rng = Random(5)
    steps = (1, 2, 5, 1, 3, 2)  # prompts of unlike length
    questions = [make_question(rng, domain="accounting", language="en", steps=many) for many in steps]
    return [generator.encode(question_prompt(BARE, question.text)) for question in questions]


def complete(generator, prompts, most, stop_ids):
    return generator.generate(prompts, max_tokens=[most] * len(prompts), stop_ids=stop_ids)


@pytest.mark.parametrize("text", TEXTS)
def test_text_comes_back_from_its_ids(generator, text):
    assert generator.decode(generator.encode(text)) == text


@pytest.mark.parametrize("mark", [BARE.stop, BARE.end])
def test_the_marks_of_a_turn_are_single_ids_that_read_back(generator, mark):
    ids = generator.encode(mark)

    assert len(ids) == 1
    assert generator.decode(ids) == mark


def test_a_prompt_is_the_ids_of_its_parts(generator):
    whole = generator.encode(question_prompt(BARE, "How much is 2 and 3?"))

    assert generator.decode(whole) == question_prompt(BARE, "How much is 2 and 3?")
    assert whole.count(generator.encode(BARE.stop)[0]) == 3


def test_a_completion_keeps_its_limit_and_holds_no_stop_id(generator, prompts, stop_ids):
    limits = [0, 1, 3, 17, 64, 200]

    completions = generator.generate(prompts, max_tokens=limits, stop_ids=stop_ids)

    for completion, most in zip(completions, limits, strict=True):
        assert len(completion.token_ids) <= most
        assert not stop_ids & set(completion.token_ids)
        assert completion.stopped == (len(completion.token_ids) < most)


def test_nothing_is_generated_where_nothing_may_be(generator, prompts, stop_ids):
    completions = complete(generator, prompts, 0, stop_ids)

    assert [(each.token_ids, each.stopped) for each in completions] == [([], False)] * len(prompts)


def test_no_prompts_give_no_completions(generator, stop_ids):
    assert complete(generator, [], 9, stop_ids) == []


def test_a_completion_that_fills_its_limit_has_not_stopped(generator, prompts, stop_ids):
    whole = complete(generator, prompts, 200, stop_ids)
    assert all(each.stopped for each in whole)

    filled = generator.generate(
        prompts, max_tokens=[len(each.token_ids) for each in whole], stop_ids=stop_ids
    )

    assert [each.token_ids for each in filled] == [each.token_ids for each in whole]
    assert not any(each.stopped for each in filled)


def test_the_same_prompt_is_completed_alike_alone_and_in_a_batch(generator, prompts, stop_ids):
    together = complete(generator, prompts, 40, stop_ids)

    alone = [complete(generator, [prompt], 40, stop_ids)[0] for prompt in prompts]

    assert together == alone


def test_a_shorter_limit_gives_the_beginning_of_a_longer_one(generator, prompts, stop_ids):
    longer = complete(generator, prompts, 30, stop_ids)
    shorter = complete(generator, prompts, 6, stop_ids)

    assert [each.token_ids for each in shorter] == [each.token_ids[:6] for each in longer]


def test_a_completion_goes_on_from_its_own_beginning(generator, prompts, stop_ids):
    whole = complete(generator, prompts, 30, stop_ids)
    begun = [prompt + each.token_ids[:5] for prompt, each in zip(prompts, whole, strict=True)]

    rest = complete(generator, begun, 25, stop_ids)

    assert [each.token_ids[:5] + more.token_ids for each, more in zip(whole, rest, strict=True)] == [
        each.token_ids for each in whole
    ]


def test_other_stop_ids_end_a_completion_elsewhere(generator, prompts, stop_ids):
    whole = complete(generator, prompts, 30, stop_ids)
    place = next(place for place, each in enumerate(whole) if len(each.token_ids) > 3)
    token = whole[place].token_ids[2]

    (early,) = complete(generator, [prompts[place]], 30, frozenset({token}))

    assert early.stopped
    assert early.token_ids == whole[place].token_ids[: whole[place].token_ids.index(token)]


def test_the_model_s_own_end_ends_a_completion_unasked(generator, prompts):
    (end,) = generator.encode(BARE.end)
    asked = [prompt + generator.encode(f"\n{BARE.answer_start}") for prompt in prompts]

    completions = complete(generator, asked, 400, frozenset())

    assert all(each.stopped for each in completions)
    assert not any(end in each.token_ids for each in completions)


def test_a_sweep_over_every_budget_is_answered_as_each_budget_alone(generator, prompts):
    policies = [BudgetPolicy(4), BudgetPolicy(12), BudgetPolicy(40, extensions=1)]

    swept = sweep(generator, prompts[:3], policies, markup=BARE, answer_tokens=8)

    for place, policy in enumerate(policies):
        alone = sweep(generator, prompts[:3], [policy], markup=BARE, answer_tokens=8)
        assert [answers[place] for _thought, answers in swept] == [answers[0] for _thought, answers in alone]


@pytest.mark.parametrize("name", ["nowhere/at-all", "demo"])
def test_a_folder_that_holds_no_model_is_refused_with_its_name(name):
    from evaluation.runner.transformers_generator import NoModel, TransformersGenerator

    with pytest.raises(NoModel) as refused:
        TransformersGenerator(str(BASE.parents[1] / name))

    assert name in str(refused.value)
    assert "config, weights and tokenizer" in str(refused.value)
    assert "\n" not in str(refused.value)
