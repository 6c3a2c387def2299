"""A judgement of true or false, in the words and signs of examinations: 对, √, 错误, ×, True."""

from common.core.notation import folded

_TRUE = frozenset([
    "对", "正确", "√", "✓", "✔", "☑", "是", "真", "成立", "对的", "是的", "是正确的", "说法正确", "该说法正确",
    "true", "yes", "correct", "right", "t", "y",
])  # fmt: skip
_FALSE = frozenset([
    "错", "错误", "×", "✗", "✘", "☒", "否", "假", "不对", "不正确", "不成立", "不是", "错的", "是错误的",
    "说法错误", "该说法错误", "false", "no",
    "incorrect", "wrong", "f", "n",
])  # fmt: skip
_ENDS = " \t\n.。,;:!！*_`\"'“”‘’()（）[]【】$"


def judgement(text: str) -> bool | None:
    """Return whether a text says that something is true; None for any text that says more or something else."""
    if len(text) > 40:
        return None
    # A cross is looked for before it is folded to the sign of a product.
    said = text.strip(_ENDS).casefold() if "×" in text else folded(text).strip(_ENDS).casefold()
    return True if said in _TRUE else False if said in _FALSE else None


def is_judgement_key(text: str) -> bool:
    """Tell whether a key is a judgement; a single letter may as well name an option."""
    return judgement(text) is not None and not (len(text.strip(_ENDS)) == 1 and text.strip(_ENDS).isascii())
