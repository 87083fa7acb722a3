"""Encrypts tokens at rest, with AES-GCM: the only module that imports `cryptography`.

Rule 1: what is sealed names its key and is bound to its place: in the row of another
workspace it does not open.
Rule 2: the newest key seals, and any opens. No key, and nothing that was sealed, is in
an error.
"""

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.domain.installation import Place
from bot.errors import KeyLost
from bot.messages import installations as messages

# Bytes of a nonce: NIST SP 800-38D, 8.2.2. Random ones may be used 2^32 times with a
# key, which sealing a token twice a day does not reach.
_NONCE = 12


class KeyRing:
    """`bot.ports.installations.Sealer` with `keys` of 32 bytes, newest first."""

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
        """Return the text that was sealed for `place`. Raises KeyLost."""
        name, _, body = sealed.partition(".")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise KeyLost(messages.key_lost(place=place))
        try:
            raw = base64.urlsafe_b64decode(body)
            return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _bound(place)).decode()
        except (InvalidTag, ValueError):
            # Without the cause, whose arguments hold what was sealed.
            raise KeyLost(messages.not_its_token(place=place)) from None

    def is_current(self, sealed: str) -> bool:
        """Return whether the newest key has sealed it."""
        return sealed.startswith(f"{self._newest}.")


def _name(key: bytes) -> str:
    """Return what tells a key from others and says nothing about it."""
    return hashlib.sha256(b"threadkeep key " + key).hexdigest()[:8]


def _bound(place: Place) -> bytes:
    parts = (place.platform, place.organisation, place.workspace)
    # None of them holds a line feed, so no two places have the same.
    return "\n".join(parts).encode()
