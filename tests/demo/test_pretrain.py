"""Training the base model: the same seed gives the same weights, through a kill and without."""

from dataclasses import replace
from itertools import islice

import pytest
import torch

from demo.muon import orthogonal
from demo.pretrain import (
    OtherRun,
    PretrainRecipe,
    draw_batch,
    kept_recipe,
    load_checkpoint,
    new_model,
    new_training,
    rate_at,
    save_checkpoint,
    steps_within,
    train,
    train_tokenizer,
)

SMALL = PretrainRecipe(seed=1, steps=8, rows=4, tokens_a_row=64, warm_up_steps=2, width=32, inner_width=64)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(SMALL, documents=300)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_a_killed_run_ends_with_the_same_weights_as_one_that_was_not(tokenizer, tmp_path):
    whole = new_training(SMALL, new_model(SMALL, tokenizer))
    losses = list(train(SMALL, whole, tokenizer, tmp_path / "whole"))

    killed = new_training(SMALL, new_model(SMALL, tokenizer))
    before = list(islice(train(SMALL, killed, tokenizer, tmp_path / "killed"), 3))
    save_checkpoint(killed, tmp_path / "killed")
    resumed = new_training(SMALL, new_model(SMALL, tokenizer))
    after = list(train(SMALL, resumed, tokenizer, tmp_path / "killed"))

    assert before + after == losses
    pairs = zip(whole.model.parameters(), resumed.model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_training_lowers_the_loss(tokenizer, tmp_path):
    recipe = replace(SMALL, steps=40)
    training = new_training(recipe, new_model(recipe, tokenizer))

    losses = list(train(recipe, training, tokenizer, tmp_path))

    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_without_a_checkpoint_a_run_starts_at_its_first_step(tokenizer, tmp_path):
    training = new_training(SMALL, new_model(SMALL, tokenizer))

    load_checkpoint(training, tmp_path)

    assert training.step == 0


def test_a_batch_depends_on_seed_and_step_alone_and_weighs_prompts_less(tokenizer):
    tokens, weights = draw_batch(SMALL, 5, tokenizer)

    assert torch.equal(tokens, draw_batch(SMALL, 5, tokenizer)[0])
    assert not torch.equal(tokens, draw_batch(SMALL, 6, tokenizer)[0])
    assert tokens.shape == weights.shape == (SMALL.rows, SMALL.tokens_a_row + 1)
    assert {round(weight, 6) for weight in weights.unique().tolist()} == {0.1, 1.0}


def test_the_rate_rises_and_then_falls_towards_zero():
    rates = [rate_at(SMALL, step) for step in range(SMALL.steps)]

    assert rates[:2] == [SMALL.rate / 2, SMALL.rate]
    assert rates[2] == SMALL.rate
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert 0 < rates[-1] < SMALL.rate / 4


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 16, 48)])
def test_muons_moves_have_singular_values_near_one(shape):
    torch.manual_seed(0)

    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))

    assert values.min() > 0.3
    assert values.max() < 1.3


def test_a_run_goes_on_with_its_own_recipe_and_with_no_other(tmp_path):
    kept_recipe(SMALL, tmp_path, same_steps=True)

    assert kept_recipe(SMALL, tmp_path, same_steps=True) == SMALL
    assert kept_recipe(replace(SMALL, steps=99), tmp_path, same_steps=False) == SMALL
    with pytest.raises(OtherRun, match="another recipe"):
        kept_recipe(replace(SMALL, steps=99), tmp_path, same_steps=True)
    with pytest.raises(OtherRun, match="another recipe"):
        kept_recipe(replace(SMALL, seed=2), tmp_path, same_steps=False)


def test_more_minutes_mean_more_steps(tokenizer):
    assert steps_within(0, SMALL, tokenizer) == 10
    assert steps_within(1, SMALL, tokenizer) > 20
