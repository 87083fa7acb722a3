"""Requests to a model, and the model's reports about an answer. Frozen values."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.domain.attachment import FileKind
from bot.domain.mcp import RequestServer, ToolCall
from bot.errors import Unread

#: The lifetime of prompt cache entries that a request writes.
CacheTtl = Literal["5m", "1h"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by kind of price, web searches and fetched pages."""

    #: Input neither read from the cache nor written to it.
    input: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    #: Includes thinking, which is billed as output.
    output: int = 0
    #: The number of web searches, which are billed in addition to tokens.
    searches: int = 0
    #: The number of fetched pages, which cost nothing in addition to tokens.
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
    #: The SHA-256 of the posted file.
    digest: str
    kind: FileKind
    media_type: str
    #: An upper bound of its tokens.
    tokens: int
    #: The number of pages of a PDF that Claude reads; 0 for other files.
    pages: int = 0
    #: The size of `data` in bytes, known before `data` is loaded.
    size: int = 0
    #: Empty until the request is sent.
    data: bytes = field(default=b"", repr=False)
    #: Why a line replaces the file; None if Claude reads the file.
    unread: Unread | None = None
    #: The number of pages of the whole PDF; more than `pages` if it was cut.
    all_pages: int = 0


#: Bytes of UTF-8 per token. This is below the average of any language: about four in
#: English, and three in Chinese, where a character is about one token. An estimate,
#: since there is no tokenizer.
BYTES_PER_TOKEN = 2.5

# An upper bound for the line that replaces a file. The line has fewer than 200
# characters plus the name, which has at most 255 bytes on every platform.
_LINE_TOKENS = 500


def file_tokens(file: RequestFile) -> int:
    """Return an upper bound of the tokens of `file`, or of the line that replaces it.

    The bound includes the line above the file.
    """
    return _LINE_TOKENS + (0 if file.unread else file.tokens)


@dataclass(frozen=True, slots=True)
class Compaction:
    """The API's own summary of the beginning of a conversation."""

    #: The only model that can read the summary.
    model: str
    #: The JSON of the block. The API signed it, so it is sent back unchanged.
    block: str


@dataclass(slots=True)
class Encoded:
    """The cached JSON of a message that later requests repeat; b"" until encoded."""

    json: bytes = b""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation, exactly as Claude reads it."""

    #: "user" or "assistant".
    role: str
    content: str
    #: The files of a "user" message, in the order of posting.
    files: tuple[RequestFile, ...] = ()
    #: The block that replaces `content` for the model that made the block.
    compaction: Compaction | None = None
    #: The JSON of `role` and `content`, if it is kept for later requests.
    encoded: Encoded | None = field(default=None, compare=False, repr=False)


#: Returns the bytes of stored files by digest. Deleted files are left out.
LoadFiles = Callable[[Collection[str]], Awaitable[Mapping[str, bytes]]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the Messages API."""

    model: str
    system: str
    #: The last message has the role "user".
    messages: tuple[ChatMessage, ...]
    max_tokens: int
    #: An opaque, stable id of the person who asks; never a name or an address.
    user: str = ""
    #: "low" to "max" where the model supports it; None for the model's default.
    effort: str | None = None
    #: From 0 to 1, if `ModelFacts.takes_temperature`; else None.
    temperature: float | None = None
    stop_sequences: tuple[str, ...] = ()
    #: The maximum numbers of web searches and of fetched pages.
    searches: int = 0
    fetches: int = 0
    #: The hosts that pages may be fetched from, with their subdomains; empty for all.
    hosts: tuple[str, ...] = ()
    #: Whether Claude filters search results with code. Only for models whose code may
    #: call tools, according to the API.
    filters: bool = False
    #: The MCP servers whose tools Claude may use, and the number of tool calls to
    #: reserve money for. The API does not limit the number of calls.
    servers: tuple[RequestServer, ...] = ()
    server_calls: int = 3
    #: The container that ran the code of a paused answer; "" for none.
    container: str = ""
    #: The JSON schema of the answer, as JSON; "" for prose.
    schema: str = ""
    #: An hour by default, since people often reply later than five minutes but within
    #: the hour.
    cache_ttl: CacheTtl = "1h"
    #: Whether to cache the messages as well as the system prompt. False if no later
    #: request repeats the messages.
    cache_messages: bool = True
    #: An upper bound of the prompt's tokens, if they were counted.
    prompt_most: int | None = None
    #: Whether the API compacts `messages` instead of answering. The last message is
    #: then an answer.
    compacts: bool = False
    #: Loads the bytes of the files when the request is sent; None if they are loaded.
    #: Files take many megabytes, and an answer takes minutes.
    load: LoadFiles | None = field(default=None, repr=False, compare=False)

    @property
    def tool_uses(self) -> int:
        """The total number of tool uses that money is reserved for."""
        calls = self.server_calls if self.servers else 0
        return self.searches + self.fetches + calls


@dataclass(frozen=True, slots=True)
class Activity:
    """A tool that Claude uses in the middle of an answer."""

    kind: Literal["search", "fetch", "ask"]
    #: The host of a fetched page or the label of an MCP server, without markup; "" for
    #: a search, or if it must not be shown.
    host: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One API call that is billed, or may be."""

    #: The requested model and the one that answered; the higher price counts.
    models: tuple[str, ...]
    #: The usage of the call, or an upper bound.
    usage: Usage
    #: Whether `usage` is the API's final report of the whole call.
    exact: bool = False
    #: The factor that multiplies the prices of the call.
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """A model's report about its answer.

    A model reports several times, and the last report counts. `stop_reason` is None
    until the answer is complete.
    """

    #: The model that answered, as the API reports it.
    model: str
    request_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    stop_reason: str | None = None
    #: Every call for this answer that may be billed; None if unknown.
    calls: tuple[Call, ...] | None = None
    #: Whether the last of `calls` is about to be made. A caller that cannot pay for all
    #: `calls` closes the stream now.
    ahead: bool = False
    #: Whether the last of `calls` has outgrown its reservation. A caller that cannot
    #: pay for all `calls` closes the stream now.
    grown: bool = False
    #: The activity that has just begun; None if none has.
    activity: Activity | None = None
    #: The calls of MCP tools, in order.
    asked: tuple[ToolCall, ...] = ()
    #: The names of the MCP servers that failed. The answer is written without them.
    failed: tuple[str, ...] = ()
    #: Pairs of an MCP server's name and the JSON of its tools.
    listings: tuple[tuple[str, str], ...] = ()
    #: The JSON of a compaction block; "" for none.
    block: str = ""
