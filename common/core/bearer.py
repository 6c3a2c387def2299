"""The secret of a token: how it is made, what of it may be shown, and how it is known again without being kept."""

import hashlib
from base64 import urlsafe_b64encode

PREFIX = "qianti_"  # says whose token it is to whoever finds one in a log or a repository
SECRET_BYTES = 32
_SHOWN = 5  # characters behind the prefix; the other 38 hold more than 220 bits


def secret_from(random_bytes: bytes) -> str:
    """Return a secret that holds 32 random bytes.

    Raises:
        ValueError: these are not 32 bytes.
    """
    if len(random_bytes) != SECRET_BYTES:
        raise ValueError(f"a secret takes {SECRET_BYTES} bytes, not {len(random_bytes)}")
    return PREFIX + urlsafe_b64encode(random_bytes).rstrip(b"=").decode("ascii")


def beginning_of(secret: str) -> str:
    """Return as much of a secret as may be shown, so that its owner can tell it from another."""
    return secret[: len(PREFIX) + _SHOWN]


def hash_of(secret: str) -> str:
    """Return what is kept of a secret: SHA-256 in 64 hex digits.

    A secret is 256 random bits and no password, so that one round without salt is enough. It is looked up by this
    hash: how long that takes tells nothing about the secret.
    """
    return hashlib.sha256(secret.encode("utf-8", errors="replace")).hexdigest()
