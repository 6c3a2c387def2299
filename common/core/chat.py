"""A question as one prompt, in a model family's own markup, and the marks around its thinking.

The markup is s1's: the chat template of Qwen2.5, with the one special token that opens a turn
reused to part thinking from answer, so that no vocabulary changes.

Source: s1 (arXiv 2501.19393), section 3.1 and its data/tokenization.py.
"""

from dataclasses import asdict, dataclass
from typing import Any

TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
QWEN_SYSTEM_PROMPT = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."


@dataclass(frozen=True)
class Markup:
    """The strings that frame a question, its thinking and its answer for one model family."""

    name: str
    system: str = ""
    think_start: str = f"{TURN_START}think\n"
    answer_start: str = f"{TURN_START}answer\n"
    final_answer: str = "Final Answer:"  # what a cut thought is made to begin its answer with
    stop: str = TURN_START  # ends thinking; one token, so that an engine can suppress it
    end: str = TURN_END  # ends the whole reply

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for a job file."""
        return asdict(self)


QWEN = Markup(name="qwen2.5", system=QWEN_SYSTEM_PROMPT)
BARE = Markup(name="bare")
MARKUPS = {markup.name: markup for markup in (QWEN, BARE)}


def question_prompt(markup: Markup, question: str) -> str:
    """Return all that stands before the first token of thinking."""
    system = f"{TURN_START}system\n{markup.system}{TURN_END}\n" if markup.system else ""
    return f"{system}{TURN_START}user\n{question}{TURN_END}\n{TURN_START}assistant\n{markup.think_start}"


def reply(markup: Markup, *, thinking: str, answer: str) -> str:
    """Return what the model is to write after `question_prompt`: thinking, answer, end of turn.

    An answer that does not name itself gets the words a forced answer begins with, as in s1.
    """
    named = answer if markup.final_answer in answer else f"{markup.final_answer} {answer}"
    return f"{thinking}\n{markup.answer_start}{named}{markup.end}"


def question_with_options(text: str, options: tuple[str, ...]) -> str:
    """Return a question as a model reads it, its options lettered from A."""
    if not options:
        return text
    lettered = "\n".join(f"{chr(ord('A') + place)}. {option}" for place, option in enumerate(options))
    return f"{text}\n{lettered}"
