"""Downloads files from Discord.

Rule 1: files come from Discord's own hosts, which need no token and get none.
Rule 2: no error contains the address of a file, because anybody who has the address can
read the file for a day.
"""

from typing import BinaryIO

import aiohttp
import yarl

from adapters.discord import ids, message_files
from adapters.discord.client import Link, translated
from bot.domain.attachment import Attachment
from bot.domain.scope import Scope
from bot.errors import DeliveryError, FileUnread, ThreadGone, Unread
from bot.runtime import downloads

HOSTS = ("cdn.discordapp.com", "media.discordapp.net")

#: The HTTP statuses for an expired address, and also for a deleted file.
_EXPIRED = (403, 404)


class _AddressExpired(Exception):
    """The address of a file has expired, or was never valid."""


class DiscordFiles:
    """Implements `bot.ports.platform.FileSource` for one bot."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def fetch(
        self, place: Scope, file: Attachment, into: BinaryIO, most: int
    ) -> None:
        """Write the bytes of `file` to `into`. Raises FileUnread, DeliveryError or
        AccessRevoked."""
        downloads.require_size(file, most)
        try:
            await self._download(file, into, most)
        except _AddressExpired:
            fresh = await self._fresh(file)
        else:
            return
        try:
            await self._download(fresh, into, most)
        except _AddressExpired:
            raise FileUnread(Unread.UNAVAILABLE) from None

    async def _download(self, file: Attachment, into: BinaryIO, most: int) -> None:
        address = self._address(file.url)
        times = aiohttp.ClientTimeout(
            total=downloads.WHOLE, connect=10, sock_read=downloads.STALL
        )
        try:
            # The SDK's own session reads files into memory, whatever their size.
            async with (
                aiohttp.ClientSession(timeout=times, auto_decompress=False) as session,
                session.get(
                    address, headers=downloads.PLAIN, allow_redirects=False
                ) as response,
            ):
                if response.status in _EXPIRED:
                    raise _AddressExpired
                await downloads.take(response, into, most, file.size)
        except (TimeoutError, aiohttp.ClientError) as error:
            # Not `from error`, whose text may hold the address.
            raise DeliveryError(f"download: {type(error).__name__}") from None

    async def _fresh(self, file: Attachment) -> Attachment:
        """Return `file` with a new address, read from its message. Raises the errors of
        `fetch`."""
        where = message_files.message_of(file)
        if where is None:
            raise FileUnread(Unread.UNAVAILABLE)
        try:
            channel, message = (ids.number(each, "read a file") for each in where)
            place = self._link.client.get_partial_messageable(channel)
            async with translated("read a file"):
                found = await place.fetch_message(message)
        except ThreadGone:
            raise FileUnread(Unread.UNAVAILABLE) from None
        for each in message_files.attachments(found):
            if each.id == file.id:
                return each
        raise FileUnread(Unread.DELETED)

    def _address(self, url: str) -> yarl.URL:
        """Return `url`, parsed. Raises FileUnread if its host is not allowed."""
        try:
            address = yarl.URL(url)
        except ValueError:
            raise FileUnread(Unread.UNAVAILABLE) from None
        parts = (address.scheme, address.host, address.port)
        base = self._link.files_url
        allowed = [("https", host, 443) for host in HOSTS]
        if base is not None:
            allowed.append((base.scheme, str(base.host), base.port or 0))
        named = address.user is not None or address.password is not None
        if named or parts not in allowed:
            raise FileUnread(Unread.ELSEWHERE if url else Unread.UNAVAILABLE)
        return address
