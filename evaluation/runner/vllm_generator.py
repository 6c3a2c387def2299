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
        self.context_tokens: int = self.engine.llm_engine.model_config.max_model_len

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
        """Complete each prompt greedily; vLLM batches them itself, and knows the model's own end."""
        completions = [Completion([], stopped=False) for _ in prompts]
        asked = [place for place, most in enumerate(max_tokens) if most > 0]  # vLLM refuses to add nothing
        outputs = self.engine.generate(
            [TokensPrompt(prompt_token_ids=list(prompts[place])) for place in asked],
            [
                SamplingParams(temperature=0, max_tokens=max_tokens[place], stop_token_ids=list(stop_ids))
                for place in asked
            ],
            use_tqdm=False,
        )
        for place, output in zip(asked, outputs, strict=True):
            ids = list(output.outputs[0].token_ids)
            stopped = output.outputs[0].finish_reason == "stop"
            completions[place] = Completion(ids[:-1] if stopped else ids, stopped)
        return completions
