"""The demo's field: what it draws, it can read back and work out."""

import random
from collections import Counter

import pytest

from demo.field import (
    DOMAINS,
    LANGUAGES,
    LONGEST,
    POOL_STEP_WEIGHTS,
    FieldExhausted,
    UnreadableQuestion,
    make_benchmark,
    make_pool,
    make_question,
    solve,
)


@pytest.mark.parametrize("steps", range(1, LONGEST + 1))
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("domain", DOMAINS)
def test_a_drawn_question_is_solved_from_its_text_alone(domain, language, steps):
    rng = random.Random(f"{domain} {language} {steps}")

    questions = [make_question(rng, domain=domain, language=language, steps=steps) for _ in range(40)]

    assert [solve(question.text) for question in questions] == questions
    assert {(question.domain, question.language, question.steps) for question in questions} == {
        (domain, language, steps)
    }
    assert all(question.thinking.count("\n") == steps - 1 for question in questions)
    assert all(question.thinking.endswith(f"={question.answer}") for question in questions)


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        (
            "The account starts at 49: ① deposit 7; ② withdrew 9. Closing balance?",
            "① deposit 7: 49+7=56\n② withdrew 9: 56-9=47",
            "47",
        ),
        (
            "期初余额20元：①收到5元，②支付6元。现在余额是多少元？",
            "①收到5元：20+5=25\n②支付6元：25-6=19",
            "19",
        ),
        (
            "The reply is due on Friday: ① extended 4 days, ② advanced 2 days. What is the new weekday?",
            "① extended 4 days: Friday+4=Tuesday\n② advanced 2 days: Tuesday-2=Sunday",
            "Sunday",
        ),
        ("答复期限：周五。①推迟9天。最后是周几？", "①推迟9天：周五+9=周日", "周日"),
        (
            "The clock shows 9:40: ① forward 30 min; ② back 15 min. What is the new time?",
            "① forward 30 min: 9:40+30=10:10\n② back 15 min: 10:10-15=9:55",
            "9:55",
        ),
        ("  上课时间是8:05：①提早10分钟。最后是几点几分？\n", "①提早10分钟：8:05-10=7:55", "7:55"),
    ],
)
def test_questions_worked_by_hand_come_out_the_same(text, thinking, answer):
    question = solve(text)

    assert (question.thinking, question.answer, question.text) == (thinking, answer, text.strip())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What is 49+14?",
        "The account starts at 49: ① deposit 7; ② withdrew 9.",
        "The account starts at 49: ② deposit 7; ① withdrew 9. Closing balance?",
        "The account starts at 49: ① extended 7. Closing balance?",
        "The account starts at 3: ① paid 7. Closing balance?",
        "The clock shows 9:75: ① forward 30 min. What is the new time?",
        "The account starts at 49: ① deposit 7; ② withdrew 9. Closing balance? And then?",
    ],
)
def test_a_text_of_no_wording_of_the_field_is_refused(text):
    with pytest.raises(UnreadableQuestion):
        solve(text)


def test_the_benchmark_is_even_and_without_repeats():
    benchmark = make_benchmark(7, 3)

    cells = Counter((question.domain, question.language, question.steps) for question in benchmark)

    assert set(cells) == {(d, lang, steps) for d in DOMAINS for lang in LANGUAGES for steps in range(2, 9)}
    assert set(cells.values()) == {3}
    assert len({question.text for question in benchmark}) == len(benchmark)


def test_the_pool_is_skewed_towards_easy_questions_and_shares_none_with_the_benchmark():
    held_out = {question.text for question in make_benchmark(1, 5)}

    pool = make_pool(1, 6000, held_out)

    texts = [question.text for question in pool]
    assert len(set(texts)) == len(texts) == 6000
    assert not held_out & set(texts)
    shares = Counter(question.steps for question in pool)
    assert all(abs(shares[steps] / 6000 - weight) < 0.02 for steps, weight in POOL_STEP_WEIGHTS.items())
    assert sum(POOL_STEP_WEIGHTS.values()) == pytest.approx(1)
    by_cell = Counter((question.domain, question.language) for question in pool)
    assert all(abs(count - 1000) < 120 for count in by_cell.values())


def test_a_text_that_is_excluded_is_not_drawn_though_it_would_have_been():
    first = make_pool(3, 50)

    second = make_pool(3, 50, {first[0].text})

    assert first[0].text not in {question.text for question in second}


def test_the_same_seed_makes_the_same_questions():
    assert make_pool(5, 200) == make_pool(5, 200)
    assert make_pool(5, 200) != make_pool(6, 200)
    assert make_benchmark(5, 2) == make_benchmark(5, 2)
    assert make_benchmark(5, 2) != make_benchmark(6, 2)


def test_asking_for_more_questions_than_there_are_is_refused():
    with pytest.raises(FieldExhausted, match="of 1 step"):
        make_pool(0, 100_000, step_weights={1: 1.0})


@pytest.mark.parametrize("steps", [0, 9])
def test_a_number_of_steps_out_of_range_is_refused(steps):
    with pytest.raises(ValueError, match="1 to 8 steps"):
        make_question(random.Random(0), domain="law", language="en", steps=steps)
