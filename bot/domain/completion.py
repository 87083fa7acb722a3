"""Requests to a model and its reports about an answer. Frozen values."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.domain.attachment import FileKind
from bot.domain.mcp import RequestServer, ToolCall
from bot.errors import Unread

#: The lifetime of what a request writes to the prompt cache.
CacheTtl = Literal["5m", "1h"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by kind of price, web searches and fetched pages."""

    #: Input neither read from the cache nor written to it.
    input: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    #: Including thinking, which is billed as output.
    output: int = 0
    #: The number of web searches, which are billed besides tokens.
    searches: int = 0
    #: The number of pages that were fetched, which cost nothing besides tokens.
    fetches: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
            self.cache_read + other.cache_read,
            self.output + other.output,
            self.searches + other.searches,
            self.fetches + other.fetches,
        )

    @property
    def prompt(self) -> int:
        """All input tokens, however they are billed."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A file of a message, as Claude reads it."""

    name: str
    #: The SHA-256 of what was posted.
    digest: str
    kind: FileKind
    media_type: str
    #: The most tokens that it counts as.
    tokens: int
    #: The pages of a PDF that are shown; 0 for other files.
    pages: int = 0
    #: Bytes of `data`, also before that is loaded.
    size: int = 0
    #: Empty until it is sent.
    data: bytes = field(default=b"", repr=False)
    #: Why a line stands in its place; None if it is shown.
    unread: Unread | None = None
    #: The pages that a PDF has; more than `pages` if only the first are shown.
    all_pages: int = 0


#: Bytes of UTF-8 per token, less than any text has on average: four in English, three
#: in Chinese, where a character is about a token (an estimate; there is no tokenizer).
BYTES_PER_TOKEN = 2.5

# The tokens of the line in place of a file: it has fewer than two hundred characters
# beside the name, which has at most 255 bytes on every platform.
_LINE_TOKENS = 500


def file_tokens(file: RequestFile) -> int:
    """Return the most tokens that `file`, or the line in its place, counts as, with the
    line above it."""
    return _LINE_TOKENS + (0 if file.unread else file.tokens)


@dataclass(frozen=True, slots=True)
class Compaction:
    """The API's own summary of the beginning of a conversation."""

    #: The only model that reads it.
    model: str
    #: The JSON of its block, which is signed and sent back as it came.
    block: str


@dataclass(slots=True)
class Encoded:
    """The JSON of a message that later requests have, too; b"" until it is made."""

    json: bytes = b""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the conversation, exactly as Claude reads it."""

    #: "user" or "assistant".
    role: str
    content: str
    #: Of a "user" message, in the order of posting.
    files: tuple[RequestFile, ...] = ()
    #: The block that the model which made it reads in place of `content`.
    compaction: Compaction | None = None
    #: Of its role and its `content`, where that is kept for later requests.
    encoded: Encoded | None = field(default=None, compare=False, repr=False)


#: Returns the bytes of stored files by their digests, without those that are gone.
LoadFiles = Callable[[Collection[str]], Awaitable[Mapping[str, bytes]]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the Messages API."""

    model: str
    system: str
    #: The last one has the role "user".
    messages: tuple[ChatMessage, ...]
    max_tokens: int
    #: An opaque, stable id of the person who asks; no name or address.
    user: str = ""
    #: "low" to "max" where the model supports it; None for the model's default.
    effort: str | None = None
    #: From 0 to 1, where `ModelFacts.takes_temperature`.
    temperature: float | None = None
    stop_sequences: tuple[str, ...] = ()
    #: The maximum number of web searches, and of pages that are fetched.
    searches: int = 0
    fetches: int = 0
    #: The hosts that pages may be fetched from, with their subdomains; empty for all.
    hosts: tuple[str, ...] = ()
    #: Whether Claude filters what it finds by code: only models of which the API says
    #: that their code may call tools.
    filters: bool = False
    #: The MCP servers whose tools Claude may use, and how many calls of their tools
    #: are paid for beforehand: the API does not limit their number.
    servers: tuple[RequestServer, ...] = ()
    server_calls: int = 3
    #: The container in which code of a paused answer ran; "" for none.
    container: str = ""
    #: The JSON schema of the answer, as JSON; "" for prose.
    schema: str = ""
    #: An hour, since people answer each other within the hour rather than within five
    #: minutes.
    cache_ttl: CacheTtl = "1h"
    #: Whether the messages are cached as well as the system prompt: False where no
    #: later request repeats them.
    cache_messages: bool = True
    #: The most tokens that its prompt can have, where they were counted.
    prompt_most: int | None = None
    #: Whether the API is to compact `messages`, the last of which is an answer, rather
    #: than to answer.
    compacts: bool = False
    #: Loads the bytes of its files when it is sent, since an answer takes minutes and
    #: they take many megabytes; None if they are there.
    load: LoadFiles | None = field(default=None, repr=False, compare=False)

    @property
    def tool_uses(self) -> int:
        """Return how often tools may be used in all, as far as that is paid for."""
        calls = self.server_calls if self.servers else 0
        return self.searches + self.fetches + calls


@dataclass(frozen=True, slots=True)
class Activity:
    """Claude's use of a tool before it goes on with an answer."""

    kind: Literal["search", "fetch", "ask"]
    #: The host of the page that is fetched, or the label of the server that is asked,
    #: without any markup; "" for a search, and where it is not to be shown.
    host: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API that is or may be billed."""

    #: The model requested and the one that answered; the higher price counts.
    models: tuple[str, ...]
    #: The usage, or an upper bound of it.
    usage: Usage
    #: Whether `usage` is the API's final report of the whole call.
    exact: bool = False
    #: The factor by which its prices are multiplied.
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """A model's report about its answer.

    A model reports more than once; the last report counts. `stop_reason` is None until
    the answer is complete.
    """

    #: The model that answered, as the API reports it.
    model: str
    request_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    stop_reason: str | None = None
    #: Every call for this answer that may be billed; None if that is unknown.
    calls: tuple[Call, ...] | None = None
    #: Whether the last of `calls` is about to be made: a caller that cannot pay for all
    #: of them closes the stream now.
    ahead: bool = False
    #: Whether what was reserved for the last of `calls` no longer covers it: a caller
    #: that cannot pay for all of them closes the stream now.
    grown: bool = False
    #: The activity that has just begun; None for nothing new.
    activity: Activity | None = None
    #: The calls of MCP servers' tools, in order.
    asked: tuple[ToolCall, ...] = ()
    #: The names of the MCP servers that failed, without which the answer is written.
    failed: tuple[str, ...] = ()
    #: The listings of MCP servers, by name: the JSON of their tools.
    listings: tuple[tuple[str, str], ...] = ()
    #: The JSON of a compaction block; "" for none.
    block: str = ""
