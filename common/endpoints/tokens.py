"""How many tokens a text has, where the endpoint does not say: by a tokenizer if the operator gave one."""

import logging
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from tokenizers import Tokenizer

from common.core.text import estimate_tokens

logger = logging.getLogger(__name__)


def count_tokens(*texts: str) -> tuple[list[int], str]:
    """Return the tokens of each text, and who counted them: "tokenizer:<name>" or "estimate"."""
    tokenizer = _tokenizer(str(settings.TOKENIZER_FILE)) if settings.TOKENIZER_FILE else None
    if tokenizer is None:
        return [estimate_tokens(text) for text in texts], "estimate"
    counts = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]
    return counts, f"tokenizer:{_name(Path(settings.TOKENIZER_FILE))}"


def _name(path: Path) -> str:
    """Return a tokenizer's name: that of its folder, as its file is always called the same."""
    return (path.parent.name if path.stem == "tokenizer" else path.stem) or path.stem


@lru_cache(maxsize=1)
def _tokenizer(path: str) -> Tokenizer | None:
    try:
        return Tokenizer.from_file(path)
    except Exception as error:  # noqa: BLE001  # all that the library raises; a reply is paid for and must be kept
        logger.error("QIANTI_TOKENIZER=%s cannot be read, so tokens are estimated: %s", path, error)
        return None
