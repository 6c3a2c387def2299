"""The committed base model: small, whole, good at one step and at no more."""

import json
import random
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from common.core.chat import BARE, TURN_END
from demo.corpus import make_one_step
from demo.field import WORDINGS
from demo.pretrain import SKILLS, measure_skills, skill_means

FOLDER = Path(__file__).parents[2] / "demo" / "base_model"


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(FOLDER, local_files_only=True)


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(FOLDER, local_files_only=True)


@pytest.fixture(scope="module")
def shares(model, tokenizer):
    return skill_means(measure_skills(model, tokenizer, seed=99, a_cell=10))


def test_the_folder_is_small_and_complete():
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}

    assert sum(sizes.values()) < 8_000_000
    assert set(sizes) >= {
        "card.json",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_it_is_a_qwen2_in_half_precision(model):
    assert model.config.model_type == "qwen2"
    assert model.dtype == torch.bfloat16
    assert 500_000 < sum(weights.numel() for weights in model.parameters()) < 2_000_000


def test_one_step_questions_are_solved(shares):
    assert shares["one_step"] >= 0.9


def test_four_step_questions_are_not(shares):
    assert shares["four_steps"] <= 0.3


def test_the_card_names_the_seed_and_the_skills_that_were_measured(shares):
    card = json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))

    assert set(card["skills"]) == set(SKILLS)
    assert card["recipe"]["seed"] == 0
    assert card["seconds"] > 0
    assert all(abs(card["skills"][skill] - share) < 0.25 for skill, share in shares.items())


def test_text_survives_the_tokenizer_and_every_digit_is_a_token(tokenizer):
    texts = ["The balance is 4096.", "期初余额20元：①收到5元。", "émigré 🎓\n\tтекст"]

    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert tokenizer.decode(ids) == text
    digits = tokenizer.encode("4096", add_special_tokens=False)
    assert [tokenizer.decode([digit]) for digit in digits] == list("4096")


def test_the_chats_marks_are_single_tokens_and_end_and_padding_differ(tokenizer):
    assert tokenizer.eos_token == TURN_END
    assert tokenizer.pad_token == "<|endoftext|>"
    assert all(len(tokenizer.encode(mark, add_special_tokens=False)) == 1 for mark in (BARE.stop, BARE.end))


def test_the_chat_template_writes_what_the_model_was_trained_on(tokenizer):
    domain, language = next(iter(WORDINGS))
    prompt = make_one_step(random.Random(1), domain, language).prompt
    question = prompt.removeprefix("<|im_start|>user\n").partition(TURN_END)[0]

    written = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
    )

    assert written + BARE.think_start == prompt
