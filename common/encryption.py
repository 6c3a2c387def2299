"""Keys of endpoints, encrypted at rest; the first of the installation's keys encrypts."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from common.core.refusal import Refusal


class KeyUnreadable(Refusal):
    """A stored key was encrypted with a key that this installation no longer has."""


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])


def encrypt(secret: str) -> bytes:
    """Return a secret as it may lie in the database; an empty one stays empty."""
    return _fernet().encrypt(secret.encode()) if secret else b""


def encrypted_anew(token: bytes) -> bytes:
    """Return a secret's token encrypted with the first of the installation's keys; an empty one stays empty.

    Raises:
        KeyUnreadable: none of the installation's keys fits.
    """
    try:
        return _fernet().rotate(bytes(token)) if token else b""
    except InvalidToken as error:
        raise KeyUnreadable("The endpoint's key cannot be decrypted any more; enter it again.") from error


def decrypt(token: bytes) -> str:
    """Return the secret.

    Raises:
        KeyUnreadable: none of the installation's keys fits.
    """
    if not token:
        return ""
    try:
        return _fernet().decrypt(bytes(token)).decode()
    except InvalidToken as error:
        raise KeyUnreadable("The endpoint's key cannot be decrypted any more; enter it again.") from error
