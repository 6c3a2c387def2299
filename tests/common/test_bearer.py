import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.bearer import PREFIX, SECRET_BYTES, beginning_of, hash_of, secret_from

secrets = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)


@given(secrets, secrets)
def test_two_secrets_are_equal_only_where_their_bytes_are(one, other):
    made, beside = secret_from(one), secret_from(other)

    assert (made == beside) == (one == other)
    assert (hash_of(made) == hash_of(beside)) == (one == other)


@given(secrets)
def test_a_secret_can_stand_in_a_header_and_shows_little_of_itself(random_bytes):
    secret = secret_from(random_bytes)

    assert secret.startswith(PREFIX)
    assert secret.isascii()
    assert secret.isprintable()
    assert " " not in secret
    assert secret.startswith(beginning_of(secret))
    assert len(secret) - len(beginning_of(secret)) == 38


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_too_few_random_bytes_make_no_secret(size):
    with pytest.raises(ValueError, match="32 bytes"):
        secret_from(bytes(size))


def test_the_hash_is_sha_256_and_takes_any_text():
    assert hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert len(hash_of("\ud800 千题")) == 64
