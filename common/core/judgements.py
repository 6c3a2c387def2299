"""A judgement of true or false, in the words and signs of examinations: 对, √, 错误, ×, True.

Whether a statement is true is one thing, and yes or no to a question another: who answers "is it wrong?" with "wrong"
says yes. Words of the one are therefore never held against words of the other.
"""

from common.core.notation import folded

_WORDS = {
    **dict.fromkeys((
        "对", "正确", "√", "✓", "✔", "☑", "真", "成立", "对的", "是正确的", "说法正确", "该说法正确", "true", "correct", "right",
    ), ("true", True)),
    **dict.fromkeys((
        "错", "错误", "×", "✗", "✘", "☒", "假", "不对", "不正确", "不成立", "错的", "是错误的", "说法错误", "该说法错误",
        "false", "incorrect", "wrong",
    ), ("true", False)),
    **dict.fromkeys(("是", "是的", "yes"), ("yes", True)),
    **dict.fromkeys(("否", "不是", "no"), ("yes", False)),
}  # fmt: skip
# A single letter may name an option or a variable as well: it is one of two alone beside the other, or beside the whole word.
_LETTERS = {"t": ("true", True), "f": ("true", False), "y": ("yes", True), "n": ("yes", False)}
_LONGEST = 40
_ENDS = " \t\n.。,;:!！*_`\"'“”‘’()（）[]【】$"


def same_judgement(said: str, key: str) -> bool | None:
    """Tell whether two texts judge alike; None where one of them is no judgement, or they are not of one kind."""
    first, second = (_plain(text) for text in (said, key))
    if {first, second} == {"t", "f"}:
        return False
    judged, wanted = _WORDS.get(first) or _LETTERS.get(first), _WORDS.get(second)
    if judged is None or wanted is None or judged[0] != wanted[0]:
        return None
    return judged == wanted


def _plain(text: str) -> str:
    if len(text) > _LONGEST:
        return ""
    bare = text.strip(_ENDS)
    return bare if bare == "×" else folded(bare).casefold()  # folding makes a cross the sign of a product
