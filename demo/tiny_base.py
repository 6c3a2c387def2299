"""The demo's base model as a server's engine: questions that arrive together are answered in one batch."""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from common.core.chat import BARE, question_prompt

LARGEST_BATCH: Final = 64


@dataclass(frozen=True)
class Generated:
    """What the model wrote: `stopped` says whether it ended its thinking by itself."""

    thinking: str
    answer: str
    thinking_tokens: int
    answer_tokens: int
    prompt_tokens: int
    stopped: bool


class TinyBase:
    """The base model and its tokenizer, in single precision on the CPU."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        torch.set_num_threads(threads)
        disable_progress_bar()
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True
        ).eval()
        self.turn_start = self.tokenizer.convert_tokens_to_ids(BARE.stop)

    def reply(self, questions: Sequence[str], *, max_thinking: int, max_answer: int) -> list[Generated]:
        """Think about each question, greedily, and then answer it."""
        prompts = [self._encode(question_prompt(BARE, question)) for question in questions]
        thoughts = self._continue(prompts, max_thinking, [self.turn_start, self.tokenizer.eos_token_id])
        asked = [self._ask(prompt, thought) for prompt, thought in zip(prompts, thoughts, strict=True)]
        answers = self._continue(asked, max_answer, [self.tokenizer.eos_token_id])
        return [
            Generated(
                thinking=self.tokenizer.decode(thought).strip("\n"),
                answer=f"{BARE.final_answer}{self.tokenizer.decode(answer)}",
                thinking_tokens=len(thought),
                answer_tokens=len(answer),
                prompt_tokens=len(prompt),
                stopped=len(thought) < max_thinking,
            )
            for prompt, thought, answer in zip(prompts, thoughts, answers, strict=True)
        ]

    def _ask(self, prompt: list[int], thought: list[int]) -> list[int]:
        """Return the prompt of the answer, which stands on a line of its own."""
        ends_a_line = self.tokenizer.decode(thought).endswith("\n")
        opening = f"{'' if ends_a_line else chr(10)}{BARE.answer_start}{BARE.final_answer}"
        return prompt + thought + self._encode(opening)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    @torch.inference_mode()
    def _continue(self, prompts: list[list[int]], max_tokens: int, stops: list[int]) -> list[list[int]]:
        """Return the greedy continuation of each prompt, without the token that ended it."""
        longest = max(map(len, prompts))
        pad = self.tokenizer.pad_token_id
        padded = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        output = self.model.generate(
            input_ids=padded,
            attention_mask=mask,
            max_new_tokens=max_tokens,
            do_sample=False,
            eos_token_id=stops,
            pad_token_id=pad,
        )
        return [_until(row, {*stops, pad}) for row in output[:, longest:].tolist()]


@dataclass(frozen=True)
class _Order:
    """A question that waits, and where its reply will be."""

    question: str
    max_thinking: int
    reply: "Future[Generated]"


class Batcher:
    """One worker over a queue: it takes all questions that wait, up to a batch, at once."""

    def __init__(self, folder: Path, *, threads: int, longest_answer: int) -> None:
        self._model = TinyBase(folder, threads=threads)
        self._longest_answer = longest_answer
        self._waiting: queue.Queue[_Order] = queue.Queue()
        threading.Thread(target=self._work, name="tiny-base", daemon=True).start()

    def submit(self, question: str, max_thinking: int) -> "Future[Generated]":
        """Queue a question; the future holds its reply or the error of its batch."""
        future: Future[Generated] = Future()
        self._waiting.put(_Order(question, max_thinking, future))
        return future

    def _work(self) -> None:
        while True:
            batch = [self._waiting.get()]
            while len(batch) < LARGEST_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get())
            for limit in {order.max_thinking for order in batch}:
                self._answer([order for order in batch if order.max_thinking == limit], limit)

    def _answer(self, batch: list[_Order], max_thinking: int) -> None:
        try:
            replies = self._model.reply(
                [order.question for order in batch],
                max_thinking=max_thinking,
                max_answer=self._longest_answer,
            )
        except Exception as failure:  # noqa: BLE001 - whoever waits is told, and the worker lives on
            for order in batch:
                order.reply.set_exception(failure)
            return
        for order, reply in zip(batch, replies, strict=True):
            order.reply.set_result(reply)


def _until(ids: list[int], stops: set[int]) -> list[int]:
    end = next((place for place, token in enumerate(ids) if token in stops), len(ids))
    return ids[:end]
