"""A recipe: s1's by default, whole, checked when made, and known by its hash."""

from dataclasses import FrozenInstanceError

import pytest

from training.core.recipe import RECIPES, BadRecipe, Recipe, as_dict, from_dict, recipe_hash, s1, tiny_cpu


def test_the_default_is_s1_s_own():
    # s1 (arXiv 2501.19393), appendix D.
    recipe = s1()

    assert (recipe.learning_rate, recipe.epochs, recipe.batch_size) == (1e-5, 5, 16)
    assert (recipe.adam_beta1, recipe.adam_beta2, recipe.weight_decay) == (0.9, 0.95, 1e-4)
    assert (recipe.warmup_share, recipe.max_length, recipe.precision) == (0.05, 32_768, "bf16")
    assert recipe.markup == "qwen2.5"


def test_the_laptop_s_recipe_asks_for_no_card():
    recipe = tiny_cpu()

    assert (recipe.precision, recipe.zero3, recipe.markup) == ("fp32", False, "bare")


@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_comes_back_from_its_stored_values(name):
    recipe = RECIPES[name]()

    again = from_dict(as_dict(recipe))

    assert again == recipe
    assert recipe_hash(again) == recipe_hash(recipe)


def test_what_is_not_given_is_s1_s():
    assert from_dict({"epochs": 3}) == Recipe(epochs=3)
    assert from_dict({}) == s1()


def test_a_recipe_of_before_packs_takes_rows_one_by_one():
    stored = as_dict(s1())
    del stored["layout"], stored["sequence_parallel"]

    assert from_dict(stored) == s1()
    assert {make().layout for make in RECIPES.values()} == {"rows"}


def test_another_value_is_another_recipe_by_hash():
    hashes = {recipe_hash(Recipe(epochs=epochs)) for epochs in (1, 2, 3)}

    assert len(hashes) == 3
    assert all(len(each) == 64 for each in hashes)


def test_a_recipe_is_frozen():
    with pytest.raises(FrozenInstanceError):
        s1().epochs = 6


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("learning_rate", 0),
        ("learning_rate", -1e-5),
        ("learning_rate", 2),
        ("learning_rate", "1e-5"),
        ("learning_rate", float("nan")),
        ("learning_rate", None),
        ("learning_rate", True),
        ("epochs", 0),
        ("epochs", 101),
        ("epochs", 2.5),
        ("epochs", "5"),
        ("batch_size", 0),
        ("rows_per_card", 0),
        ("rows_per_card", 17),  # more than s1's batch of 16
        ("batch_size", 8.0),
        ("warmup_share", 1.5),
        ("warmup_share", -0.1),
        ("adam_beta1", 1.2),
        ("adam_beta2", -0.1),
        ("weight_decay", -1),
        ("max_grad_norm", 0),
        ("max_grad_norm", float("inf")),
        ("max_length", 15),
        ("max_length", 32_768.0),
        ("seed", -1),
        ("seed", 2**31),
        ("precision", "fp8"),
        ("precision", None),
        ("layout", "pack"),
        ("layout", True),
        ("sequence_parallel", 0),
        ("sequence_parallel", 2.0),
        ("markup", "llama"),
        ("markup", ["bare"]),
        ("gradient_checkpointing", "no"),
        ("zero3", 1),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_field_and_value(field, value):
    with pytest.raises(BadRecipe) as refused:
        from_dict({field: value})

    assert f"The recipe's {field} is {value!r}" in str(refused.value)


def test_a_batch_is_made_of_whole_passes():
    with pytest.raises(BadRecipe, match="batch_size is 16; it is a multiple of rows_per_card 3"):
        Recipe(batch_size=16, rows_per_card=3)


def test_only_packs_are_shared():
    with pytest.raises(
        BadRecipe, match="sequence_parallel is 4 and its layout rows; cards share packs alone"
    ):
        Recipe(sequence_parallel=4)

    assert Recipe(sequence_parallel=4, layout="packed").sequence_parallel == 4


def test_an_unknown_field_is_refused_with_the_known_ones():
    with pytest.raises(BadRecipe, match=r"no field epoch, rate; it has .*learning_rate"):
        from_dict({"epoch": 3, "rate": 1e-5})


@pytest.mark.parametrize("given", [[], ["epochs"], 5, "s1", None])
def test_what_is_no_object_is_refused(given):
    with pytest.raises(BadRecipe, match="is no recipe"):
        from_dict(given)
