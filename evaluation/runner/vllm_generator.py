"""vLLM in process as a Generator: token-id prompts, greedy, prefixes shared by its cache."""

from collections.abc import Sequence
from importlib.metadata import version

from vllm import LLM, SamplingParams
from vllm.inputs import TokensPrompt

from evaluation.core.forcing import Completion


class VllmGenerator:
    """A model served by vLLM on this machine's cards."""

    def __init__(self, model: str, *, dtype: str = "bfloat16", tensor_parallel: int = 1) -> None:
        self.engine = LLM(
            model=model, dtype=dtype, tensor_parallel_size=tensor_parallel, enable_prefix_caching=True
        )
        self.tokenizer = self.engine.get_tokenizer()
        self.dtype = dtype

    def describe(self) -> dict[str, str]:
        """Return engine, versions, precision and device, for the record of a result."""
        return {"name": "vllm", "dtype": self.dtype, "device": "cuda", "vllm": version("vllm")}

    def encode(self, text: str) -> list[int]:
        """Return a text's ids, its markup as single tokens."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def decode(self, token_ids: Sequence[int]) -> str:
        """Return the text of ids, markup included."""
        text: str = self.tokenizer.decode(list(token_ids), skip_special_tokens=False)
        return text

    def generate(
        self, prompts: Sequence[Sequence[int]], *, max_tokens: Sequence[int], stop_ids: frozenset[int]
    ) -> list[Completion]:
        """Complete each prompt greedily; vLLM batches them itself."""
        outputs = self.engine.generate(
            [TokensPrompt(prompt_token_ids=list(prompt)) for prompt in prompts],
            [
                SamplingParams(temperature=0, max_tokens=most, stop_token_ids=list(stop_ids))
                for most in max_tokens
            ],
            use_tqdm=False,
        )
        completions = []
        for output in outputs:
            ids = list(output.outputs[0].token_ids)
            stopped = output.outputs[0].finish_reason == "stop"
            completions.append(Completion(ids[:-1] if ids and ids[-1] in stop_ids else ids, stopped))
        return completions
