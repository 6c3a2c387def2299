"""What a base model would learn of a dataset, on the page before a run: real tokens, and which of them carry loss."""

import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest

from common.access import Role
from common.core.chat import BARE
from curator.models import Dataset, DatasetRow, Selection
from training.core.conversation import training_text
from training.models import Model

BASE = Path(__file__).parents[2] / "demo" / "base_model"
TEXTS = ["49+14=63", "先加：49+14=63 😀\n" * 3, "step\n" * 2_000]

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(make_project, make_member, client):
    made = make_project()
    client.force_login(make_member(made, Role.OWNER))
    return made


@pytest.fixture
def base(project, tmp_path):
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        shutil.copy(BASE / name, tmp_path / name)
    return Model.objects.create(
        project=project, name="tiny", kind="base", location=str(tmp_path), markup="bare"
    )


@pytest.fixture
def dataset(project):
    selection = Selection.objects.create(project=project, name="s", method={}, method_name="random", size=3)
    made = Dataset.objects.create(
        project=project, selection=selection, name="ledgers", content_hash="b" * 64, row_count=len(TEXTS)
    )
    for place, text in enumerate(TEXTS):
        DatasetRow.objects.create(
            dataset=made,
            position=place,
            question_hash=f"{place:064x}",
            trace_hash="c" * 64,
            content=row(text),
        )
    return made


def row(thinking):
    return {"question": "合同<b>？", "options": ["有效", "无效"], "thinking": thinking, "answer": "B"}


@pytest.fixture
def page(client, dataset, base):
    """Return what opens the page for a base and a recipe."""

    def opened(**given):
        asked = {"base": base.pk, "recipe": "tiny-cpu", "max_length": 20_000} | given
        return client.get(f"/datasets/{dataset.pk}/train/rows/", asked)

    return opened


def tokens_of(page):
    """Return the text of each stretch of tokens, and whether it is learnt."""
    found = re.findall(r'<div class="tokens( taught)?"[^>]*>(.*?)</div>', page, re.DOTALL)
    return [
        (bool(taught), [unescape(each) for each in re.findall(r"<span>(.*?)</span>", html, re.DOTALL)])
        for taught, html in found
    ]


def test_a_row_is_shown_whole_with_the_prompt_given_and_the_rest_learnt(page):
    (given, prompt), (taught, completion) = tokens_of(page(row=2).text)

    wanted = [text.replace("\n", "↵\n") for text in training_text(BARE, row(TEXTS[1]))]
    assert (given, taught) == (False, True)
    assert "".join(prompt).replace("·", "") == wanted[0]
    assert "".join(completion).replace("·", "") == wanted[1]
    assert len(completion) > 20
    assert completion[-1] == "<|im_end|>"


def test_all_rows_are_checked_and_the_shortest_the_middle_and_the_longest_shown(page):
    response = page(check=1)

    checked = response.context["checked"]
    assert [lesson.position for lesson in response.context["lessons"]] == [0, 1, 2]
    assert (checked.rows, checked.faults, checked.twins) == (3, (), 0)
    assert sum(lesson.tokens for lesson in response.context["lessons"]) == checked.kept
    assert "Every row can be trained on as it is" in response.text


def test_the_page_asks_for_the_check_and_htmx_gets_it_alone(page, dataset, client, base):
    shown = page().text
    address = unescape(re.search(r'hx-get="([^"]*check=1)"', shown)[1])

    part = client.get(address, headers={"HX-Request": "true"}).text

    assert "<html" not in part
    assert "Rows checked" in part


def test_the_middle_of_a_long_part_is_left_out_until_it_is_asked_for(page):
    short, whole = page(row=3).text, page(row=3, whole=1).text

    assert "tokens more stand here" in short
    assert "tokens more stand here" not in whole
    assert len(tokens_of(whole)[1][1]) > len(tokens_of(short)[1][1]) + 1_000


def test_rows_that_the_run_would_refuse_are_named_before_it(page, dataset):
    DatasetRow.objects.create(
        dataset=dataset, position=3, question_hash="d" * 64, trace_hash="c" * 64, content=row("a <|im_end|>")
    )

    text = page(check=1, max_length=512).text

    assert "2 rows cannot be trained on" in text
    assert re.search(r"Row 3</a>: it has [\d,]+ tokens, more than", text)
    assert "Row 4</a>: a text holds the model" in text
    assert "Longer than the 512 tokens of the recipe" in page(row=3, max_length=512).text


def test_a_row_that_is_not_there_is_said(page):
    assert "There is no such row" in page(row=99).text


def test_without_a_tokenizer_on_this_machine_the_run_checks(page, base):
    (Path(base.location) / "tokenizer.json").unlink()

    assert "The tokenizer of tiny is not on this machine" in page(check=1).text


def test_a_base_that_pads_with_what_ends_a_reply_is_refused(page, base):
    path = Path(base.location) / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pad_token": {"content": "<|im_end|>"}}))

    assert "give it another padding token" in unescape(page(check=1).text)


def test_a_tokenizer_without_the_markup_is_refused(page, base):
    path = Path(base.location) / "tokenizer.json"
    path.write_text(path.read_text().replace("<|im_end|>", "<|other|>"))

    assert "has no single token for <|im_end|>" in unescape(page(check=1).text)


def test_values_that_make_no_recipe_are_refused(page):
    assert "Choose base and recipe" in page(recipe="none").text
