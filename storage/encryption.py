"""Encrypts tokens at rest with AES-GCM. The only module that imports `cryptography`.

Rule 1: a sealed text names its key and is bound to its place. It cannot be opened in
the row of another workspace.
Rule 2: the newest key seals, and every key opens. Errors contain neither keys nor
sealed texts.
"""

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.domain.installation import Place
from bot.errors import KeyLost
from bot.messages import installations as messages

# Bytes of a nonce (NIST SP 800-38D, 8.2.2). Random nonces may be used 2^32 times with
# one key, a number that sealing a token twice a day does not reach.
_NONCE = 12


class KeyRing:
    """Implements `bot.ports.installations.Sealer` with `keys` of 32 bytes, newest
    first."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._ciphers = {_name(key): AESGCM(key) for key in keys}
        self._newest = _name(keys[0])

    def seal(self, text: str, place: Place) -> str:
        """Return `text` encrypted with the newest key, for `place` alone."""
        nonce = os.urandom(_NONCE)
        cipher = self._ciphers[self._newest]
        sealed = cipher.encrypt(nonce, text.encode(), _bound(place))
        return f"{self._newest}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: Place) -> str:
        """Return the text that was sealed for `place`. Raises KeyLost if no key opens
        it."""
        name, _, body = sealed.partition(".")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise KeyLost(messages.key_lost(place=place))
        try:
            raw = base64.urlsafe_b64decode(body)
            return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _bound(place)).decode()
        except (InvalidTag, ValueError):
            # Raised without the cause, whose arguments contain the sealed text.
            raise KeyLost(messages.not_its_token(place=place)) from None

    def is_current(self, sealed: str) -> bool:
        """Return whether the text was sealed with the newest key."""
        return sealed.startswith(f"{self._newest}.")


def _name(key: bytes) -> str:
    """Return a name that identifies a key without revealing it."""
    return hashlib.sha256(b"threadkeep key " + key).hexdigest()[:8]


def _bound(place: Place) -> bytes:
    parts = (place.platform, place.organisation, place.workspace)
    # None of the parts contains a line feed, so no two places have the same text.
    return "\n".join(parts).encode()
