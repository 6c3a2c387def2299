"""Run a batch of thoughts under a budget policy, with any Generator, and cut them at every smaller one.

The stored unit is the thought, token by token: generated once to the largest budget and the largest
number of extensions. Sampled and forced tokens are kept apart from the first line on, and all
counting is by ids, never by text that was tokenised again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from common.core.chat import Markup
from common.core.refusal import Refusal
from evaluation.core.policy import BudgetPolicy, Move, next_move, widest


class WrongMarkup(Refusal):
    """A model cannot be asked in this markup; the message names the mark that it does not know."""


@dataclass(frozen=True)
class Completion:
    """What a generator added to one prompt; `stopped` if a stop id ended it, which is not in the ids."""

    token_ids: list[int]
    stopped: bool


class Generator(Protocol):
    """A model with its tokenizer, greedy: the same prompt gives the same completion.

    The model's own end of text ends a completion as a stop id does, and is left out of it too.
    """

    def encode(self, text: str) -> list[int]: ...

    def decode(self, token_ids: Sequence[int]) -> str: ...

    def generate(
        self, prompts: Sequence[Sequence[int]], *, max_tokens: Sequence[int], stop_ids: frozenset[int]
    ) -> list[Completion]: ...


@dataclass
class Thought:
    """One chain of thought; positions count its tokens from 0."""

    prompt_ids: list[int]
    token_ids: list[int] = field(default_factory=list)
    forced_at: list[int] = field(default_factory=list)  # positions of tokens that were put in
    stops: list[int] = field(default_factory=list)  # tokens before each place where the model wanted to end


@dataclass(frozen=True)
class Cut:
    """What of a thought one policy would have seen."""

    length: int  # thinking tokens, the forced ones included
    forced_end: bool  # the budget ended it, not the model
    forced_tokens: int


@dataclass(frozen=True)
class Answer:
    """The answer after one policy's cut; `text` begins with the forced words where there were any."""

    policy: str
    cut: Cut
    text: str
    answer_tokens: int


def think(
    generator: Generator, prompts: Sequence[Sequence[int]], policy: BudgetPolicy, *, stop_ids: frozenset[int]
) -> list[Thought]:
    """Let the model think about each prompt until its policy says: answer."""
    thoughts = [Thought(list(prompt)) for prompt in prompts]
    word = generator.encode(policy.extension_word)
    thinking = [thought for thought in thoughts if policy.max_tokens]
    while thinking:
        completions = generator.generate(
            [thought.prompt_ids + thought.token_ids for thought in thinking],
            max_tokens=[policy.max_tokens - len(thought.token_ids) for thought in thinking],
            stop_ids=stop_ids,
        )
        thinking = [
            thought
            for thought, completion in zip(thinking, completions, strict=True)
            if _goes_on(thought, completion, policy, word)
        ]
    return thoughts


def _goes_on(thought: Thought, completion: Completion, policy: BudgetPolicy, word: list[int]) -> bool:
    """Add one round to a thought, and the extension word if that comes next; tell whether it thinks on."""
    thought.token_ids += completion.token_ids
    if completion.stopped:
        thought.stops.append(len(thought.token_ids))
    extended = len(thought.stops) - completion.stopped
    move = next_move(policy, spent=len(thought.token_ids), extended=extended, stopped=completion.stopped)
    if move is Move.EXTEND:
        room = policy.max_tokens - len(thought.token_ids)
        start = len(thought.token_ids)
        thought.token_ids += word[:room]
        thought.forced_at += range(start, len(thought.token_ids))
    return move is not Move.ANSWER and len(thought.token_ids) < policy.max_tokens


def cut_at(thought: Thought, policy: BudgetPolicy) -> Cut:
    """Return what a policy, no wider than the one that made it, would have seen of a thought.

    A thought that fills its budget to the last token was ended by it: its stop is not seen any more.
    """
    natural = thought.stops[policy.extensions] if len(thought.stops) > policy.extensions else None
    ends_itself = natural is not None and natural < policy.max_tokens
    length = (
        natural if natural is not None and ends_itself else min(policy.max_tokens, len(thought.token_ids))
    )
    return Cut(length, not ends_itself, sum(position < length for position in thought.forced_at))


def answer_prompt(generator: Generator, thought: Thought, cut: Cut, markup: Markup) -> tuple[list[int], str]:
    """Return the ids that ask for an answer after a cut, and the forced beginning of that answer.

    A natural end gets the answer delimiter alone, a forced one also the words that ask for the
    final answer, as in s1; both get a line feed first unless the thinking ends in one.
    """
    seen = thought.token_ids[: cut.length]
    line_end = "" if generator.decode(seen[-4:]).endswith("\n") else "\n"
    forced_words = markup.final_answer if cut.forced_end else ""
    asked = generator.encode(f"{line_end}{markup.answer_start}{forced_words}")
    return thought.prompt_ids + seen + asked, forced_words


def answer_all(
    generator: Generator,
    thoughts: Sequence[Thought],
    policies: Sequence[BudgetPolicy],
    *,
    markup: Markup,
    max_tokens: int,
    stop_ids: frozenset[int],
) -> list[list[Answer]]:
    """Ask for an answer after every policy's cut of every thought; equal cuts are asked once.

    Returns one list a thought, in the order of the policies.
    """
    cuts = [[cut_at(thought, policy) for policy in policies] for thought in thoughts]
    wanted = [(place, cut) for place, row in enumerate(cuts) for cut in dict.fromkeys(row)]
    prompts = [answer_prompt(generator, thoughts[place], cut, markup) for place, cut in wanted]
    completions = generator.generate(
        [ids for ids, _words in prompts], max_tokens=[max_tokens] * len(prompts), stop_ids=stop_ids
    )
    said = {
        key: (words + generator.decode(completion.token_ids), len(completion.token_ids))
        for key, (_ids, words), completion in zip(wanted, prompts, completions, strict=True)
    }
    return [
        [Answer(policy.label, cut, *said[place, cut]) for policy, cut in zip(policies, row, strict=True)]
        for place, row in enumerate(cuts)
    ]


def _one_id(generator: Generator, mark: str) -> int:
    """Return the id of a mark that ends a text; as several tokens its first would end it too early.

    Raises:
        WrongMarkup: the model's tokenizer does not know the mark as one token.
    """
    ids = generator.encode(mark)
    if len(ids) != 1:
        raise WrongMarkup(
            f"The model's tokenizer writes {mark} as {len(ids)} tokens; choose the markup that the model was trained with."
        )
    return ids[0]


def sweep(
    generator: Generator,
    prompts: Sequence[Sequence[int]],
    policies: Sequence[BudgetPolicy],
    *,
    markup: Markup,
    answer_tokens: int,
) -> list[tuple[Thought, list[Answer]]]:
    """Think once under the widest policy, then answer under each: a sweep for the price of one run."""
    end_ids = frozenset({_one_id(generator, markup.end)})
    stop_ids = end_ids | {_one_id(generator, markup.stop)}
    thoughts = think(generator, prompts, widest(policies), stop_ids=stop_ids)
    answers = answer_all(
        generator, thoughts, policies, markup=markup, max_tokens=answer_tokens, stop_ids=end_ids
    )
    return list(zip(thoughts, answers, strict=True))
