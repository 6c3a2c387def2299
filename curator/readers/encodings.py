"""How a text is encoded: UTF-8, UTF-16 or GB18030, or the sentence that says it is none of them."""

import codecs

import charset_normalizer

from curator.readers.faults import NotATable

_SNIFFED = 64 * 1024  # characters or bytes by which an encoding is judged
_LEAST_COMMON_SHARE = 0.8  # of the characters beyond ASCII; real text is written in the common ones


def decoded(content: bytes, name: str, *, whole: bool = True) -> tuple[str, str]:
    """Return a text with the encoding it was in: UTF-8, UTF-16 or GB18030.

    Other encodings can only be guessed, and a wrong guess puts a wrong letter where nobody looks. Of a
    beginning that is not the `whole`, half a character at its end is left out.

    Raises:
        NotATable: it is no text, one in another encoding, or one in UTF-8 with a damaged place.
    """
    for encoding in _likely_encodings(content):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(content, final=whole)
        except UnicodeDecodeError:
            continue
        if _is_plausible(text, encoding):
            return text, _shown_encoding(encoding)
    if place := _damaged_utf_8(content):
        raise NotATable(f"{name} is UTF-8 but for line {place}, which holds broken bytes; mend that line.")
    found = charset_normalizer.from_bytes(content[:_SNIFFED]).best() if b"\x00" not in content else None
    looks = f"; it looks like {_shown_encoding(found.encoding)}" if found else ""
    raise NotATable(
        f"{name} is no table and no text in UTF-8, UTF-16 or GB18030{looks}; "
        "save it as CSV in UTF-8, or as XLSX."
    )


def _likely_encodings(content: bytes) -> list[str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ["utf-16"]
    nulls = content[:_SNIFFED].count(b"\x00")
    if not nulls:
        return ["utf-8-sig", "gb18030"]
    in_two_bytes = ["utf-16-le", "utf-16-be"]  # ASCII commas and line ends have an empty half in it
    return in_two_bytes if nulls * 100 > len(content[:_SNIFFED]) else ["utf-8-sig", *in_two_bytes]


def _is_plausible(text: str, encoding: str) -> bool:
    """Tell text from bytes that happen to decode: hardly a control character, mostly common signs."""
    sample = text[:_SNIFFED]
    control = sum(character < " " and character not in "\t\r\n\f\v\x1a" for character in sample)
    if control > len(sample) // 100:
        return False
    beyond = [character for character in sample if character > "\x7f"]
    if encoding.startswith("utf-8") or not beyond:
        return True
    common = len("".join(beyond).encode("gb2312", errors="ignore")) // 2
    return common >= _LEAST_COMMON_SHARE * len(beyond) or (encoding == "utf-16" and control == 0)


def _shown_encoding(encoding: str) -> str:
    name = encoding.upper().replace("_", "-")
    return {"UTF-8-SIG": "UTF-8", "UTF-16-LE": "UTF-16", "UTF-16-BE": "UTF-16"}.get(name, name)


def _damaged_utf_8(content: bytes) -> int:
    """Return the number of the first broken line of what is UTF-8 otherwise, or 0."""
    text = content.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    whole = sum(character > "\x7f" for character in text) - broken
    return text[: text.index("\ufffd")].count("\n") + 1 if broken and whole > 10 * broken else 0
