"""Lists of web hosts, as values of a setting. Pure.

A host includes its subdomains (Claude facts 1.8: allowed domains). Only ASCII is
accepted: letters of other scripts may look like those of another host.
"""

import re
from datetime import date

from bot.errors import Unacceptable
from bot.messages import phrases
from bot.messages import values as messages
from bot.settings import parsers
from bot.text.redaction import quote

#: The most hosts of a list.
MOST = 50

_LABEL = re.compile(r"[a-z0-9-]{1,63}")

# The longest name (RFC 1035), and the endings of names that are in no public network:
# RFC 6761, 6762 (also its appendix G), 7686 and 8375.
_LONGEST = 253
_PRIVATE = frozenset(
    (
        *("localhost", "localdomain", "local", "internal", "intranet", "private"),
        *("corp", "home", "lan", "arpa", "onion"),
    )
)


def read(text: str, today: date) -> str:
    """Return the hosts in `text`, with one space between them. Raises Unacceptable."""
    words = parsers.check_length(text).lower().replace(",", " ").split()
    found = dict.fromkeys(host(word) for word in words)
    if not found:
        raise Unacceptable(messages.NAME_HOSTS)
    if len(found) > MOST:
        raise Unacceptable(messages.too_many_hosts(most=MOST))
    return " ".join(found)


def format_value(value: str) -> str:
    """Format the canonical `value` for people."""
    return value.replace(" ", ", ") or phrases.ALL_HOSTS


def host(word: str) -> str:
    """Return the host that `word` names, also as a URL or with `*.` Raises Unacceptable
    for a host that is not public."""
    name = word.removeprefix("https://").removeprefix("http://").removeprefix("*.")
    name = name.removesuffix("/").removesuffix(".")
    labels = name.split(".")
    # The last label of an IP address is a number.
    if labels[-1] in _PRIVATE or labels[-1].isdigit() or ":" in name:
        raise Unacceptable(messages.private_host(written=quote(word)))
    fits = all(_LABEL.fullmatch(each) and each.strip("-") == each for each in labels)
    if len(labels) < 2 or len(name) > _LONGEST or not fits:
        raise Unacceptable(messages.not_a_host(written=quote(word)))
    return name
