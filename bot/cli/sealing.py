"""Creates the sealer of tokens from the operator's keys."""

from collections.abc import Sequence

from bot.cli.platforms import load_module
from bot.errors import ConfigError
from bot.messages import config as messages
from bot.ports.installations import Sealer


def open_sealer(keys: Sequence[bytes]) -> Sealer:
    """Return a sealer with `keys`, newest first.

    Raises ConfigError if there are no keys or the encryption package is not installed.
    """
    if not keys:
        raise ConfigError(messages.NO_KEYS)
    try:
        # Encryption is an optional extra, not needed by deployments with fixed tokens.
        module = load_module("storage.encryption")
    except ModuleNotFoundError as error:
        raise ConfigError(messages.NO_CRYPTOGRAPHY) from error
    sealer: Sealer = module.KeyRing(tuple(keys))
    return sealer
