"""The best trace of a question."""

from itertools import permutations

from curator.core.ranking import RankedTrace, best_trace, why_best

WRONG_LONG = RankedTrace(1, False, "", 900)
RIGHT_LOOPING = RankedTrace(2, True, "It loops.", 800)
RIGHT_SHORT = RankedTrace(3, True, "", 100)
RIGHT_LONG = RankedTrace(4, True, "", 200)


def test_right_comes_first_then_no_flaw_then_length_in_any_order():
    traces = [WRONG_LONG, RIGHT_LOOPING, RIGHT_SHORT, RIGHT_LONG]

    assert {best_trace(order) for order in permutations(traces)} == {RIGHT_LONG}
    assert best_trace([WRONG_LONG, RIGHT_LOOPING]) == RIGHT_LOOPING
    assert best_trace([]) is None


def test_the_choice_is_explained():
    assert why_best([]) == "No teacher has answered the question."
    assert why_best([WRONG_LONG]) == "It is the only trace."
    assert (
        why_best([WRONG_LONG, RIGHT_SHORT]) == "Of 2 traces it alone agrees with the key and shows no flaw."
    )
    assert why_best([WRONG_LONG, RIGHT_SHORT, RIGHT_LONG]) == (
        "Of 3 traces it agrees with the key, shows no flaw, and is the longest of 2 such."
    )
