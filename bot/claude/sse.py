"""Splits a stream of server-sent events into its events. Does no I/O.

This follows the HTML standard's section on event streams: lines end with LF, CR or
CRLF, a byte order mark at the beginning and comments are ignored, and several `data`
lines are joined to one text. Time is linear in the number of bytes, whatever the chunks
are, and memory is bounded. The SDK's own decoder takes several times as long, and gives
neither guarantee.
"""

# The longest event, in bytes: the API's limit of a request (Claude facts 1.7), because
# an event's content may have to be sent back.
LONGEST_EVENT = 32 * 1024 * 1024

_MARK = b"\xef\xbb\xbf"


#: The name of an event, b"" if it has none, and its data, both undecoded.
ServerEvent = tuple[bytes, bytes]


class EventReader:
    """Splits the bytes of one stream into its events."""

    def __init__(self, longest: int = LONGEST_EVENT) -> None:
        self._longest = longest
        #: The beginning of an incomplete line.
        self._rest = bytearray()
        #: Whether no line was read yet, so that a byte order mark may come.
        self._is_first = True
        #: Whether the last chunk ended with CR, so that a following LF belongs to it.
        self._ended_with_return = False
        #: The name and data of the current event; the data are None before the first
        #: `data`.
        self._name = b""
        self._data: bytes | bytearray | None = None

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that `chunk` completes with an empty line.

        Raises ValueError for an event that is too long.
        """
        events: list[ServerEvent] = []
        for line in self._lines(chunk):
            if not line:
                if self._name or self._data is not None:
                    events.append((self._name, bytes(self._data or b"")))
                    self._name, self._data = b"", None
                continue
            field, _, value = line.partition(b":")
            if value.startswith(b" "):
                value = value[1:]
            if field == b"data":
                self._add(value)
            elif field == b"event":
                self._name = value
        # An event that is complete within one chunk is no longer than the chunk.
        held = len(self._rest) + len(self._name) + len(self._data or b"")
        if held > self._longest:
            raise ValueError("an event of the stream is too long")
        return events

    def _lines(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` completes, without their line ends."""
        if self._ended_with_return and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._ended_with_return = False
        lines = chunk.splitlines()
        if not lines:
            return lines
        last = chunk[-1:]
        self._ended_with_return = last == b"\r"
        is_whole = last in (b"\n", b"\r")
        if self._rest and (is_whole or len(lines) > 1):
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        if not is_whole:
            self._rest += lines.pop()
        if self._is_first and lines:
            lines[0] = lines[0].removeprefix(_MARK)
            self._is_first = False
        return lines

    def _add(self, value: bytes) -> None:
        """Add one line of data."""
        if self._data is None:
            self._data = value
            return
        if isinstance(self._data, bytes):
            self._data = bytearray(self._data)
        self._data += b"\n"
        self._data += value
