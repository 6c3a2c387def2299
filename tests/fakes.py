"""A Generator without a model: its tokens are characters, and its next one a function of all before."""

import hashlib
import re
from collections.abc import Callable, Sequence

from common.core.chat import BARE, TURN_END, TURN_START
from evaluation.core.forcing import Completion

MARKS = {TURN_START: 0x110000, TURN_END: 0x110001}  # past the last code point of Unicode
_NAMES = {token: mark for mark, token in MARKS.items()}
_PIECES = re.compile("|".join(map(re.escape, MARKS)) + "|.", re.DOTALL)
END_OF_THOUGHT = frozenset(MARKS.values())
END_OF_REPLY = frozenset({MARKS[TURN_END]})

NextPiece = Callable[[str], str]  # the text so far -> a character, or one of MARKS


class ScriptedGenerator:
    """Completes as its script says, and counts what it sampled."""

    def __init__(self, script: NextPiece) -> None:
        self.script = script
        self.sampled_tokens = 0
        self.calls: list[int] = []  # the prompts of each call

    def encode(self, text: str) -> list[int]:
        """Return a text's ids, its markup as single tokens."""
        return [MARKS.get(piece) or ord(piece) for piece in _PIECES.findall(text)]

    def decode(self, token_ids: Sequence[int]) -> str:
        """Return the text of ids, markup included."""
        return "".join(_NAMES.get(token) or chr(token) for token in token_ids)

    def generate(
        self, prompts: Sequence[Sequence[int]], *, max_tokens: Sequence[int], stop_ids: frozenset[int]
    ) -> list[Completion]:
        """Complete each prompt to a stop id or to its limit."""
        self.calls.append(len(prompts))
        return [
            self._complete(list(prompt), most, stop_ids)
            for prompt, most in zip(prompts, max_tokens, strict=True)
        ]

    def _complete(self, prompt: list[int], most: int, stop_ids: frozenset[int]) -> Completion:
        text, ids = self.decode(prompt), []
        while len(ids) < most:
            piece = self.script(text)
            (token,) = self.encode(piece)
            if token in stop_ids | END_OF_REPLY:
                return Completion(ids, stopped=True)
            ids.append(token)
            text += piece
            self.sampled_tokens += 1
        return Completion(ids, stopped=False)


def reciting(*rounds: str, answer: str, word: str = "Wait") -> NextPiece:
    """Return a script that thinks these rounds, stops after each, and then answers.

    What it thinks after a forced word is the next round; after the last it only stops.
    """
    transcript = word.join(rounds)
    ends, length = set(), -len(word)
    for part in rounds:
        length += len(word) + len(part)
        ends.add(length)

    def say(text: str) -> str:
        thought, asked, answered = text.rpartition(BARE.think_start)[2].partition(BARE.answer_start)
        if asked:
            whole = f" {answer}" if answered.startswith(BARE.final_answer) else f"Answer: {answer}"
            place = len(answered.removeprefix(BARE.final_answer))
            return whole[place] if place < len(whole) else TURN_END
        place = len(thought)
        return TURN_START if place in ends or place >= len(transcript) else transcript[place]

    return say


def rambling(seed: int, *, one_stop_in: int) -> NextPiece:
    """Return a script that thinks and answers any text at all, and stops at any place."""

    def say(text: str) -> str:
        drawn = hashlib.blake2b(f"{seed} {text}".encode(), digest_size=8).digest()
        if int.from_bytes(drawn[:4]) % one_stop_in == 0:
            return (TURN_START, TURN_END)[drawn[4] % 2]
        return "ab 5\n题。"[drawn[5] % 7]

    return say
