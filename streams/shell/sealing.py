"""Originals of dead letters, sealed: whoever reads the topic or the table sees that they exist, not what
they say.

A sealed text is `fernet:KEY_ID:TOKEN` (AES-128-CBC with HMAC-SHA256, by `cryptography`); without keys it is
plain base64, as it always was. Of several keys the first seals and all open, so a key is changed by
putting the new one in front, and dropped once the letters that it sealed have run out.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken

from schemas.problems import Problem, ProblemsError
from streams.shell.settings import Settings, listed

_SCHEME = "fernet"


class SealedError(Exception):
    """An original can't be opened; says which key is missing."""


class Sealer:
    """`seal` and `open`."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """ValueError when a text is no key."""
        self._keys = {_key_id(key): Fernet(key) for key in keys}
        self._first = next(iter(self._keys), None)

    def seal(self, original: bytes) -> str:
        """What a row carries."""
        if self._first is None:
            return b64encode(original).decode()
        token = self._keys[self._first].encrypt(original).decode()
        return f"{_SCHEME}:{self._first}:{token}"

    def open(self, sealed: str) -> bytes:
        """The original bytes; SealedError when its key is not among ours."""
        scheme, _, rest = sealed.partition(":")
        if scheme != _SCHEME:
            return b64decode(sealed)
        key_id, _, token = rest.partition(":")
        key = self._keys.get(key_id)
        if key is None:
            message = f"it is sealed with the key {key_id}: add it to TICKETPULSE_DEAD_LETTER_KEYS"
            raise SealedError(message)
        try:
            return key.decrypt(token)
        except InvalidToken as error:
            message = "it was changed after it was sealed"
            raise SealedError(message) from error


def new_key() -> str:
    """A key for the setting."""
    return Fernet.generate_key().decode()


def sealer_of(settings: Settings) -> Sealer:
    """ProblemsError when a key is none; it is not shown."""
    try:
        return Sealer(listed(settings.dead_letter_keys.get_secret_value()))
    except ValueError as error:
        what = "a key is 32 bytes in URL-safe base64, several are separated by commas"
        hint = "make one: ticketpulse deadletters new-key"
        raise ProblemsError(Problem("dead_letter_keys", what, hint)) from error


def _key_id(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:8]
