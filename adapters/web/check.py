"""Checks the configuration of the web server."""

import errno
import socket
from collections.abc import Mapping

from adapters.web import config
from bot.domain.finding import Finding, Grade
from bot.messages import check as messages


async def check(env: Mapping[str, str]) -> list[Finding]:
    """Return whether the server could listen at the address that `env` sets."""
    settings = config.read(env)
    address = f"{settings.host}:{settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                text = messages.web_in_use(address=address)
                return [Finding(messages.WEB, Grade.NOTE, text)]
            text = messages.web_unusable(address=address)
            return [Finding(messages.WEB, Grade.BAD, text)]
    return [Finding(messages.WEB, Grade.GOOD, messages.web_free(address=address))]
