"""Keys at rest: unreadable without the installation's key, readable after that was changed."""

import pytest
from cryptography.fernet import Fernet

from common.encryption import KeyUnreadable, decrypt, encrypt

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.mark.parametrize("secret", ["sk-1", "密钥", "a" * 5000, ""])
def test_what_was_encrypted_comes_back(secret):
    assert decrypt(encrypt(secret)) == secret


def test_the_secret_does_not_stand_in_what_is_stored():
    token = encrypt("sk-very-secret")

    assert b"very-secret" not in token
    assert token != encrypt("sk-very-secret")


def test_no_secret_is_stored_as_nothing():
    assert encrypt("") == b""


def test_after_a_new_key_the_old_secrets_are_still_read(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    token = encrypt("sk-1")

    settings.ENCRYPTION_KEYS = [NEW, OLD]

    assert decrypt(token) == "sk-1"


def test_the_first_key_encrypts(settings):
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    token = encrypt("sk-1")

    settings.ENCRYPTION_KEYS = [NEW]

    assert decrypt(token) == "sk-1"


@pytest.mark.parametrize(
    "token",
    [b"not a token", Fernet(OLD).encrypt(b"sk-1"), memoryview(b"short")],
    ids=["text", "old key", "short"],
)
def test_a_key_that_cannot_be_read_any_more_asks_to_be_entered_again(settings, token):
    settings.ENCRYPTION_KEYS = [NEW]

    with pytest.raises(KeyUnreadable, match="enter it again"):
        decrypt(token)
