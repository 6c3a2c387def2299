"""How a text is encoded: UTF-8, UTF-16 or GB18030 is found out, and others are taken at a person's word."""

import codecs

import charset_normalizer

from curator.readers.faults import Misread, NotATable

_CODECS = {
    "UTF-8": "utf-8-sig",
    "UTF-16": "utf-16",
    "GB18030": "gb18030",
    "Big5": "cp950",
    "Shift JIS": "cp932",
    "EUC-KR": "cp949",
    "Windows-1252": "cp1252",
    "Windows-1251": "cp1251",
}
ENCODINGS = tuple(_CODECS)
_OTHER_NAMES = {
    "utf-8": "UTF-8",
    "gbk": "GB18030",
    "gb2312": "GB18030",
    "big5": "Big5",
    "shift_jis": "Shift JIS",
}
_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SNIFFED = 64 * 1024  # characters or bytes by which an encoding is judged
_LEAST_COMMON_SHARE = 0.8  # of the characters beyond ASCII; real text is written in the common ones


def known_encoding(name: str) -> str:
    """Return the encoding that a name stands for, such as "gbk" or "utf8", as it is shown.

    Raises:
        ValueError: none that is read has this name.
    """
    for shown in ENCODINGS:
        if shown.casefold() == name.casefold():
            return shown
    try:
        codec = codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(name) from error
    shown_by_codec = {codecs.lookup(each).name: shown for shown, each in _CODECS.items()} | _OTHER_NAMES
    if codec not in shown_by_codec:
        raise ValueError(name)
    return shown_by_codec[codec]


def decoded(content: bytes, name: str, *, encoding: str = "", whole: bool = True) -> tuple[str, str]:
    """Return a text with the encoding it was in: UTF-8, UTF-16 or GB18030, or the one that a person says.

    Other encodings can only be guessed, and a wrong guess puts a wrong letter where nobody looks. Of a
    beginning that is not the `whole`, half a character at its end is left out.

    Raises:
        Misread: it is not in the encoding that a person says, or in one that must be said.
        NotATable: it is no text, or one in UTF-8 with a damaged place.
    """
    if encoding:
        return _decoded_as(encoding, content, name, whole=whole), encoding
    for likely in _likely_encodings(content):
        try:
            text = codecs.getincrementaldecoder(likely)().decode(content, final=whole)
        except UnicodeDecodeError:
            continue
        if _is_plausible(text, likely):
            return text, _shown_encoding(likely)
    if place := _damaged_utf_8(content):
        raise NotATable(f"{name} is UTF-8 but for line {place}, which holds broken bytes; mend that line.")
    found = charset_normalizer.from_bytes(content[:_SNIFFED]).best() if b"\x00" not in content else None
    sentence = f"{name} is no table and no text in UTF-8, UTF-16 or GB18030"
    if found is None:
        raise NotATable(f"{sentence}; save it as CSV in UTF-8, or as XLSX.")
    raise Misread(
        f"{sentence}; it looks like {_shown_encoding(found.encoding)}; "
        "say which encoding it is in, or save it as CSV in UTF-8, or as XLSX."
    )


def _decoded_as(encoding: str, content: bytes, name: str, *, whole: bool) -> str:
    codec = _utf_16(content) if encoding == "UTF-16" else _CODECS[encoding]
    remedy = "choose another encoding, or let it be found out."
    try:
        text = codecs.getincrementaldecoder(codec)().decode(content, final=whole)
    except UnicodeDecodeError as error:
        line = content[: error.start].decode(codec, errors="replace").count("\n") + 1
        raise Misread(f"{name} is not in {encoding}: line {line} holds other bytes; {remedy}") from error
    has_half_empty = b"\x00" in content[:_SNIFFED]  # as a line end is in two bytes
    if _is_full_of_control(text[:_SNIFFED]) or (encoding == "UTF-16" and not has_half_empty):
        raise Misread(f"{name} is not in {encoding}, in which it is no text; {remedy}")
    return text


def _utf_16(content: bytes) -> str:
    """Return the codec of UTF-16 by its mark, or else by where the empty halves of ASCII signs are."""
    if content.startswith(_BYTE_ORDER_MARKS):
        return "utf-16"
    sample = content[:_SNIFFED]
    return "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"


def _likely_encodings(content: bytes) -> list[str]:
    if content.startswith(_BYTE_ORDER_MARKS):
        return ["utf-16"]
    nulls = content[:_SNIFFED].count(b"\x00")
    if not nulls:
        return ["utf-8-sig", "gb18030"]
    in_two_bytes = ["utf-16-le", "utf-16-be"]  # ASCII commas and line ends have an empty half in it
    return in_two_bytes if nulls * 100 > len(content[:_SNIFFED]) else ["utf-8-sig", *in_two_bytes]


def _is_plausible(text: str, encoding: str) -> bool:
    """Tell text from bytes that happen to decode: hardly a control character, mostly common signs."""
    sample = text[:_SNIFFED]
    if _is_full_of_control(sample):
        return False
    beyond = [character for character in sample if character > "\x7f"]
    if encoding.startswith("utf-8") or not beyond:
        return True
    common = len("".join(beyond).encode("gb2312", errors="ignore")) // 2
    return common >= _LEAST_COMMON_SHARE * len(beyond) or (encoding == "utf-16" and not _control(sample))


def _is_full_of_control(sample: str) -> bool:
    return _control(sample) > len(sample) // 100


def _control(sample: str) -> int:
    return sum(character < " " and character not in "\t\r\n\f\v\x1a" for character in sample)


def _shown_encoding(encoding: str) -> str:
    name = encoding.upper().replace("_", "-")
    return {"UTF-8-SIG": "UTF-8", "UTF-16-LE": "UTF-16", "UTF-16-BE": "UTF-16"}.get(name, name)


def _damaged_utf_8(content: bytes) -> int:
    """Return the number of the first broken line of what is UTF-8 otherwise, or 0."""
    text = content.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    whole = sum(character > "\x7f" for character in text) - broken
    return text[: text.index("\ufffd")].count("\n") + 1 if broken and whole > 10 * broken else 0
