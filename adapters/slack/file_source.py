"""Downloads files from Slack.

Rule 1: the token is sent only to files on Slack's own hosts. The same hosts serve the
Web API with the same token, so the path must be the path of a file, too.
Rule 2: errors contain neither an address nor the token.
"""

from collections.abc import Mapping
from typing import Any, BinaryIO

import aiohttp
import yarl

from adapters.slack import message_files
from adapters.slack.client import SlackClient
from adapters.slack.json_values import mapping
from bot.domain.attachment import Attachment
from bot.domain.scope import Scope
from bot.errors import DeliveryError, FileUnread, ThreadGone, Unread
from bot.runtime import downloads

#: The beginning of the paths of files: "/files-pri/T1-F1/download/a.pdf".
FILES = "/files-"
# Redirects stay within Slack's hosts. Each target is checked like the first address.
MOST_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}

_PAGES = {"text/html", "application/xhtml+xml"}


class SignInPage(FileUnread):
    """Slack sent its sign-in page, as it does without permission (facts A15), or the
    file itself is an HTML page."""

    def __init__(self) -> None:
        super().__init__(Unread.NO_SCOPE)


class SlackFiles:
    """`bot.ports.platform.FileSource` of one workspace."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client

    async def fetch(
        self, place: Scope, file: Attachment, into: BinaryIO, most: int
    ) -> None:
        """Write the bytes of `file` to `into`. Raises FileUnread, DeliveryError or
        AccessRevoked."""
        url = file.url
        if not url:
            known = await self._look_up(file)
            url = message_files.address(known)
            file = message_files.attachment(known)
        downloads.require_size(file, most)
        try:
            await download(self._client, url, into, most, file.size)
        except SignInPage:
            size = message_files.html_size(await self._look_up(file))
            await download(self._client, url, into, most, size, is_html=True)

    async def _look_up(self, file: Attachment) -> Mapping[str, Any]:
        """Return the file object of `file` from Slack. Raises the errors of `fetch`."""
        if message_files.is_deleted(file):
            raise FileUnread(Unread.DELETED)
        if not file.id:
            raise FileUnread(Unread.UNAVAILABLE)
        try:
            found = await self._client.call("files.info", file=file.id)
        except ThreadGone as error:
            lacks = "missing_scope" in str(error)
            reason = Unread.NO_SCOPE if lacks else Unread.UNAVAILABLE
            raise FileUnread(reason) from None
        except DeliveryError as error:
            if "file_deleted" in str(error):
                raise FileUnread(Unread.DELETED) from None
            if any(code in str(error) for code in ("file_not_found", "access_denied")):
                raise FileUnread(Unread.UNAVAILABLE) from None
            raise
        return mapping(found.get("file"))


async def download(
    client: SlackClient,
    url: str,
    into: BinaryIO,
    most: int,
    size: int | None,
    *,
    is_html: bool = False,
) -> None:
    """Write the content of a file on Slack to `into`, at most `most` bytes.

    `size` is the size in bytes that Slack states, None if it states none. `is_html`
    says whether the file itself is an HTML page. Raises SignInPage, another FileUnread,
    or DeliveryError.
    """
    session = client.web.session
    assert session is not None
    address = _address(client, url)
    if address is None:
        raise FileUnread(Unread.ELSEWHERE)
    await client.ready()
    headers = {"Authorization": f"Bearer {client.web.token}", **downloads.PLAIN}
    try:
        for _ in range(1 + MOST_REDIRECTS):
            # Redirects are followed here, since aiohttp would follow one to any host.
            async with session.get(
                address,
                headers=headers,
                allow_redirects=False,
                auto_decompress=False,
                timeout=_times(),
            ) as response:
                if response.status in _REDIRECTS:
                    address = _target(client, address, response)
                    continue
                if response.status in (401, 403):
                    raise FileUnread(Unread.NO_SCOPE)
                is_page = response.status == 200 and response.content_type in _PAGES
                if is_page and not is_html:
                    raise SignInPage
                count = await downloads.take(response, into, most, size)
                if is_page and count != size:
                    raise SignInPage
                return
    except (TimeoutError, aiohttp.ClientError) as error:
        # Not `from error`, whose text may contain the address.
        raise DeliveryError(f"download: {type(error).__name__}") from None
    raise FileUnread(Unread.UNAVAILABLE)


def _times() -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=downloads.WHOLE, connect=10, sock_read=downloads.STALL
    )


def _target(
    client: SlackClient, address: yarl.URL, response: aiohttp.ClientResponse
) -> yarl.URL:
    """Return the target of a redirect. Raises FileUnread if the target is not a file on
    Slack."""
    try:
        target = address.join(yarl.URL(response.headers.get("Location", "")))
    except ValueError:
        raise FileUnread(Unread.UNAVAILABLE) from None
    if (found := _address(client, str(target))) is not None:
        return found
    if message_files.is_slacks(target) or _is_base(client, target):
        # A redirect to any other page of Slack's leads to the sign-in page.
        raise SignInPage
    raise FileUnread(Unread.UNAVAILABLE)


def _address(client: SlackClient, url: str) -> yarl.URL | None:
    """Return `url` if it is the address of a file on Slack, else None."""
    try:
        address = yarl.URL(url)
    except ValueError:
        return None
    if address.user is not None or address.password is not None:
        return None
    ours = message_files.is_slacks(address) or _is_base(client, address)
    return address if ours and address.path.startswith(FILES) else None


def _is_base(client: SlackClient, address: yarl.URL) -> bool:
    """Return whether `address` is on the server of the operator's SLACK_API_URL."""
    base = yarl.URL(client.web.base_url)
    parts = (address.scheme, address.host, address.port)
    return parts == (base.scheme, base.host, base.port)
