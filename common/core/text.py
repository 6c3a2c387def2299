"""Normal form, words, n-grams and sentences, in Chinese as in English."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence

# What a chat template may treat as its own: <|im_start|>, <|endoftext|>, <｜Assistant｜> …
_MARKUP = re.compile(r"<[|｜]([^|｜<>\s]{1,40})[|｜]>")
# Control characters but tab and line feed; lone surrogates; byte order marks inside a text.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af\U00020000-\U0003134f"
_WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+(?:['’.][^\W_{CJK}]+)*")
_IS_CJK = re.compile(rf"[{CJK}]")
_CJK_RUN = re.compile(rf"[{CJK}]+")
_SENTENCE_END = re.compile(r"(?<=[。！？!?；;])\s*|(?<=\.)\s+(?=[A-Z\"'(])|\n+")
SHARE_OF_CHINESE = 0.2  # of letters; a Chinese question may quote much English and formulae


def normal_form(text: str) -> str:
    """Return a text as it is compared: NFKC, case and white space folded."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def content_hash(text: str, options: Sequence[str] = ()) -> str:
    """Return a question's identity: SHA-256, in 64 hex digits, of its normalised text and options."""
    parts = [normal_form(text), *(normal_form(option) for option in options)]
    return hashlib.sha256("\x1f".join(parts).encode(errors="surrogatepass")).hexdigest()


def neutralise(text: str) -> tuple[str, bool]:
    """Make a text from outside harmless; return it and whether anything was changed.

    Chat markup `<|im_start|>` is kept readable as `<im_start>`; control characters, lone
    surrogates and byte order marks go; line ends become line feeds.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    # The control characters go first: what they stand between may be markup once they are gone.
    clean = _MARKUP.sub(r"<\1>", _CONTROL.sub("", lines))
    return clean, clean != lines


def is_cjk(character: str) -> bool:
    """Tell whether a character is a CJK ideograph, kana or hangul."""
    return bool(_IS_CJK.match(character))


def count_cjk(text: str) -> int:
    """Return how many characters of a text are CJK ones."""
    return sum(map(len, _CJK_RUN.findall(text)))


def language_of(text: str) -> str:
    """Return "zh" or "en", by the share of CJK characters among the letters."""
    letters = sum(map(str.isalpha, text))
    return "zh" if letters and count_cjk(text) / letters >= SHARE_OF_CHINESE else "en"


def words(text: str) -> list[str]:
    """Return the words of a normalised text: Latin words whole, CJK characters one by one."""
    return _WORD.findall(normal_form(text))


def ngrams(tokens: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    """Yield every run of `size` tokens, in order."""
    for start in range(len(tokens) - size + 1):
        yield tuple(tokens[start : start + size])


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, by the stops of both scripts and by line."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has, where no tokenizer is at hand.

    Four Latin characters, or one and a half CJK ones, make a token of Qwen2.5's vocabulary.
    """
    cjk = count_cjk(text)
    return round((len(text) - cjk) / 4 + cjk / 1.5)
