"""A model's reply, parted into what it thought and what it answered, in every shape that providers send.

The thinking comes in a field beside the content, in the content between tags, as a summary that a provider
shows in place of it, or not at all. Nothing of a reply but the tags themselves is lost.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FORMS = ("found", "field", "tags", "summary", "none")

# Openings and closings that models write around their thinking; case aside.
_TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<seed:think>": "</seed:think>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "◁think▷": "◁/think▷",
    "[think]": "[/think]",
}
_OPENED_BY = {closing: opening for opening, closing in _TAGS.items()}
_OPENINGS = re.compile("|".join(map(re.escape, _TAGS)), re.IGNORECASE)
_CLOSINGS = re.compile("|".join(map(re.escape, _OPENED_BY)), re.IGNORECASE)
_SOLUTION = re.compile(r"\A<\|begin_of_solution\|>(.*?)(?:<\|end_of_solution\|>)?\Z", re.DOTALL)

_FIELDS = ("reasoning_content", "reasoning", "thinking", "thinking_content", "reasoning_details")
_SUMMARY_FIELDS = ("reasoning_summary", "thinking_summary", "summary")
_TEXT_KEYS = ("text", "thinking", "content", "reasoning", "summary")
_DEEPEST = 4  # levels of lists and objects that a text is looked for in


@dataclass(frozen=True)
class Parted:
    """What a model thought and what it answered; a summary of thinking is no thinking to learn from."""

    thinking: str
    answer: str
    is_summary: bool = False


def part(message: Mapping[str, Any], form: str = "found") -> Parted:
    """Part a chat message into thinking and answer.

    `form` is one of FORMS, what is known of the endpoint: "found" takes a field where one has text and tags
    otherwise, or what both say, "field" leaves tags in the content alone, "tags" goes by them first, "summary" calls
    whatever is found a summary, and "none" takes the content for the answer.
    """
    thought, content = _parts_of(message.get("content"))
    if form == "none":
        return Parted("", content.strip())
    field, is_summary = _field(message)
    if not field:
        field, is_summary = text_of(thought), _are_summaries(thought)
    if form == "tags" or (form != "field" and not field):
        thinking, answer = split_thinking(content)
        if thinking or not field:
            return _marked(thinking, answer, is_summary=form == "summary" or _is_google_thought(message))
    if form != "field" and _OPENINGS.match(content.lstrip()):  # some proxies give it in both places
        tagged, answer = split_thinking(content)
        field = _joined(field.strip(), tagged)
    else:
        answer = content.strip() if form == "field" else _without_leading_close(content)
    return _marked(field.strip(), answer, is_summary=is_summary or form == "summary")


def _joined(one: str, other: str) -> str:
    """Return two accounts of one thinking: the longer where it holds the shorter, else both."""
    if other in one:
        return one
    return other if one in other else f"{one}\n\n{other}"


def _marked(thinking: str, answer: str, *, is_summary: bool) -> Parted:
    return Parted(thinking, answer, is_summary and bool(thinking))


def _is_google_thought(message: Mapping[str, Any]) -> bool:
    """Tell whether Google's endpoint marks the content as holding thought summaries."""
    extra = message.get("extra_content")
    google = extra.get("google") if isinstance(extra, Mapping) else None
    return isinstance(google, Mapping) and google.get("thought") is True


def _without_leading_close(content: str) -> str:
    """Drop a closing tag that was left at the head of the answer when its thinking was put into a field."""
    found = _CLOSINGS.match(content.lstrip())
    return content.lstrip()[found.end() :].strip() if found else content.strip()


def _field(message: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the thinking that stands beside the content, and whether it is a summary."""
    all_summaries = _are_summaries(message.get("reasoning_details"))
    for name in _FIELDS:
        if text := text_of(message.get(name)):
            return text, all_summaries or _are_summaries(message[name])
    for name in _SUMMARY_FIELDS:
        if text := text_of(message.get(name)):
            return text, True
    return "", False


def _are_summaries(value: Any) -> bool:
    """Tell whether an object or a list of them holds summaries and no thinking."""
    items = value if isinstance(value, list) else [value]
    with_text = [item for item in items if isinstance(item, Mapping) and text_of(item)]
    return bool(with_text) and all(_is_summary(item) for item in with_text)


def _is_summary(item: Mapping[str, Any]) -> bool:
    kind = item.get("type")
    if isinstance(kind, str) and "summary" in kind:
        return True
    return bool(text_of(item.get("summary"))) and not any(
        text_of(item.get(key)) for key in _TEXT_KEYS if key != "summary"
    )


def _parts_of(content: Any) -> tuple[list[Any], str]:
    """Return the parts that are thinking, and the answer, of a content that is one text or a list of such parts."""
    if not isinstance(content, list):
        return [], content if isinstance(content, str) else ""
    thought = [part for part in content if _is_thinking_part(part)]
    return thought, text_of([part for part in content if not _is_thinking_part(part)])


def _is_thinking_part(part: Any) -> bool:
    kind = part.get("type") if isinstance(part, Mapping) else None
    return isinstance(kind, str) and kind.startswith(("thinking", "reasoning", "thought"))


def text_of(value: Any, depth: int = _DEEPEST) -> str:
    """Return the text in a string, an object or a list of them; anything else has none.

    Objects of one `index` are pieces of one text; others stand apart as paragraphs.
    """
    if isinstance(value, str):
        return value
    if not depth:
        return ""
    if isinstance(value, Mapping):
        return next((text for key in _TEXT_KEYS if (text := text_of(value.get(key), depth - 1))), "")
    return "\n\n".join(_paragraphs(value, depth - 1)) if isinstance(value, list) else ""


def _paragraphs(items: Sequence[Any], depth: int) -> Iterator[str]:
    pieces: dict[object, list[str]] = {}
    for place, item in enumerate(items):
        index = item.get("index") if isinstance(item, Mapping) else None
        key = index if isinstance(index, int) else (place,)
        pieces.setdefault(key, []).append(text_of(item, depth))
    return filter(None, map("".join, pieces.values()))


def split_thinking(content: str) -> tuple[str, str]:
    """Part a content that carries its thinking in tags into thinking and answer.

    An opening at the start that is never closed makes it all thinking; a closing that was never opened makes
    thinking of what stands before it (the prompt had opened it). An opening further on counts at the start
    of a line and if it is closed; then what stands before it belongs to the answer.
    """
    rest = content.strip()
    thoughts: list[str] = []
    while found := _OPENINGS.match(rest):
        closing = _closing(rest, found)
        if closing is None:
            return "\n\n".join([*thoughts, rest[found.end() :].strip()]).strip(), ""
        thoughts.append(rest[found.end() : closing.start()].strip())
        rest = rest[closing.end() :].strip()
    if not thoughts:
        return _split_at_closing(rest)
    return "\n\n".join(filter(None, thoughts)), _unwrapped(rest)


def _closing(text: str, opening: re.Match[str]) -> re.Match[str] | None:
    """Return where what was opened is closed, whatever is opened and closed within it.

    Where more is opened than closed, a tag was only spoken of: the last closing closes.
    """
    opened, closed = re.escape(opening[0].strip()), re.escape(_TAGS[opening[0].lower()])
    depth, last = 1, None
    for found in re.compile(f"{opened}|{closed}", re.IGNORECASE).finditer(text, opening.end()):
        if found[0].lower() == opening[0].strip().lower():
            depth += 1
            continue
        depth, last = depth - 1, found
        if not depth:
            break
    return last


def _split_at_closing(content: str) -> tuple[str, str]:
    closing = _CLOSINGS.search(content)
    if closing is None:
        return "", content
    tag = re.escape(_OPENED_BY[closing[0].lower()])
    opened = re.compile(rf"^[ \t]*{tag}", re.IGNORECASE | re.MULTILINE).search(content, 0, closing.start())
    after = _unwrapped(content[closing.end() :].strip())
    if opened is None:
        return content[: closing.start()].strip(), after
    before = content[: opened.start()].strip()
    return content[opened.end() : closing.start()].strip(), "\n\n".join(filter(None, [before, after]))


def _unwrapped(answer: str) -> str:
    """Take off the marks that some models put around the solution when they mark the thought."""
    found = _SOLUTION.match(answer)
    return found[1].strip() if found else answer
