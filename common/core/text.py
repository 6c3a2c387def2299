"""Normal form, words, n-grams and sentences, in Chinese as in English."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence

# What a chat template may treat as its own: <|im_start|>, <|endoftext|>, <｜Assistant｜> …
_MARKUP = re.compile(r"<[|｜]([^|｜<>\s]{1,40})[|｜]>")
# Tokens of other families that look like tags and brackets: Qwen, DeepSeek, Llama, Mistral, Gemma, GLM.
_NAMED_MARKUP = re.compile(
    r"(<(?=/?(?:think|tool_call|s|bos|eos|unk|pad|sop|start_of_turn|end_of_turn)>|</?SYS>>)|\[(?=/?(?:INST|gMASK)\]))"
)
# Control characters but tab and line feed; lone surrogates; byte order marks inside a text.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af\U00020000-\U0003134f"
_WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+(?:['’.][^\W_{CJK}]+)*")
_IS_CJK = re.compile(rf"[{CJK}]")
_CJK_RUN = re.compile(rf"[{CJK}]+")
_WIDE_STOPS = tuple((wide, unicodedata.normalize("NFKC", wide)) for wide in "，（）：；？！．％\u3000\u00a0")
_ASCII_CONTROL = bytes([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
_RARE_SPACES = "\x85\u1680\u2028\u2029"  # all white space beyond ASCII that NFKC leaves
_SPACES_AND_NUL = bytes.maketrans(b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x00", b" " * 9 + b"\x1f")
_FOLDED_ASCII = bytes(_SPACES_AND_NUL[sign] for sign in bytes(range(256)).lower())
_SENTENCE_END = re.compile(
    r"(?<=[。！？!?；;])\s*|(?<=\.)\s+(?=[A-ZÀ-ÞА-ЯΑ-Ω\u3040-\u30ff\u3400-\u9fff\"'(“「])|\n+"
)
SHARE_OF_CHINESE = 0.2  # of letters; a Chinese question may quote much English and formulae


def normal_form(text: str) -> str:
    """Return a text as it is compared: NFKC, case and white space folded."""
    return " ".join((text.lower() if text.isascii() else _folded(text)).split())


def folded_line(text: str) -> str:
    """Return a text in NFKC, without case and line feeds; as good as its normal form where blanks do not count."""
    return (text.lower() if text.isascii() else _folded(text)).replace("\n", " ")


def _folded(text: str) -> str:
    """Return a text in NFKC and without case; its white space stays."""
    # NFKC is slow where it changes something, and in Chinese that is mostly the full-width stops.
    for wide, plain in _WIDE_STOPS:
        text = text.replace(wide, plain)
    return unicodedata.normalize("NFKC", text).casefold()


def content_hash(text: str, options: Sequence[str] = ()) -> str:
    """Return a question's identity: SHA-256, in 64 hex digits, of its normalised text and options."""
    joined = "\x00".join((text, *options))
    if joined.count("\x00") == len(options):
        normal = _normal_parts(joined)
    else:  # a text from outside, with such a character of its own
        normal = "\x1f".join(map(normal_form, (text, *options))).encode(errors="surrogatepass")
    return hashlib.sha256(normal).hexdigest()


def _normal_parts(joined: str) -> bytes:
    """Return the normal forms of texts joined by NUL, joined by the unit separator; in UTF-8."""
    if joined.isascii():
        spaced = joined.encode().translate(_FOLDED_ASCII)
    else:
        folded = _folded(joined)
        for space in _RARE_SPACES:
            folded = folded.replace(space, " ")
        spaced = folded.encode(errors="surrogatepass").translate(_SPACES_AND_NUL)
    if b"  " in spaced:
        spaced = b" ".join(spaced.split())
    return b"\x1f".join(map(bytes.strip, spaced.split(b"\x1f")))


def neutralise(text: str) -> tuple[str, bool]:
    """Make a text from outside harmless; return it and whether anything was changed.

    Chat markup `<|im_start|>` is kept readable as `<im_start>`, `</s>` as `< /s>` and `[INST]` as `[ INST]`;
    control characters, lone surrogates and byte order marks go; line ends become line feeds.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    if lines.isascii():
        plain = lines.encode()
        is_tidy = len(plain.translate(None, _ASCII_CONTROL)) == len(plain)
        if is_tidy and b"<|" not in plain and not _NAMED_MARKUP.search(lines):
            return lines, False
    # The control characters go first: what they stand between may be markup once they are gone.
    clean = _NAMED_MARKUP.sub(r"\1 ", _MARKUP.sub(r"<\1>", _CONTROL.sub("", lines)))
    return clean, clean != lines


def is_cjk(character: str) -> bool:
    """Tell whether a character is a CJK ideograph, kana or hangul."""
    return bool(_IS_CJK.match(character))


def count_cjk(text: str) -> int:
    """Return how many characters of a text are CJK ones."""
    return 0 if text.isascii() else sum(map(len, _CJK_RUN.findall(text)))


def language_of(text: str) -> str:
    """Return "zh" or "en", by the share of CJK characters among the letters."""
    cjk = count_cjk(text)
    if not cjk:
        return "en"
    if cjk >= SHARE_OF_CHINESE * len(text):  # of letters there are no more than characters
        return "zh" if any(map(str.isalpha, text)) else "en"
    letters = sum(map(str.isalpha, text))
    return "zh" if letters and cjk / letters >= SHARE_OF_CHINESE else "en"


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


def shortened(text: str, columns: int) -> str:
    """Cut a text, on one line, where it would be wider than so many columns; a CJK character takes two."""
    whole = " ".join(text.split())
    fitting = _fitting(whole, columns)
    return whole if fitting == len(whole) else whole[:fitting].rstrip() + "…"


def wrapped(text: str, columns: int, lines: int) -> list[str]:
    """Return a text as at most so many lines of so many columns; the last one is cut where more follows.

    Lines end at a space or beside a CJK character, which takes two columns; a longer word is broken.
    """
    left = " ".join(text.split())
    found: list[str] = []
    while len(found) < lines - 1 and (fitting := _fitting(left, columns)) < len(left):
        end = max(filter(lambda place: _may_break(left, place), range(1, fitting + 1)), default=fitting)
        found.append(left[: max(1, end)].rstrip())
        left = left[max(1, end) :].lstrip()
    return [*found, shortened(left, columns)]


def _fitting(text: str, columns: int) -> int:
    """Return how many characters of a text fit into so many columns."""
    for place, character in enumerate(text):
        columns -= 2 if _is_wide(character) else 1
        if columns < 0:
            return place
    return len(text)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _may_break(text: str, place: int) -> bool:
    """Tell whether a line may end before a place of a text."""
    before, after = text[place - 1], text[place]
    return " " in (before, after) or _is_wide(before) or _is_wide(after)


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has, where no tokenizer is at hand.

    Four Latin characters, or one and a half CJK ones, make a token of Qwen2.5's vocabulary.
    """
    cjk = count_cjk(text)
    return round((len(text) - cjk) / 4 + cjk / 1.5)
