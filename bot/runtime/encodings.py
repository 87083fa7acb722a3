"""Find out what a file is encoded in, and read its lines.

Rule 1: evidence decides: a byte order mark, the places of NUL bytes, whether the whole
file is UTF-8 or nearly so. Only then is the encoding guessed, and a guess says so.
Rule 2: an invalid byte costs one character, and its line is reported.
Rule 3: memory is bounded: a file is read in blocks, and no line is longer than
`MOST_LINE` characters.
"""

import codecs
import contextlib
import io
import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import chardet

from bot.errors import ConfigError
from bot.messages import ticket_files as messages

#: In characters. A row of two megabytes is read and marked; a longer line is no row.
MOST_LINE = 16_000_000

#: The most bytes that are judged, of lines that are not ASCII.
_SAMPLE = 200_000
_BLOCK = 1 << 20
#: The most bytes that are judged for UTF-16 and UTF-32.
_WIDE_SAMPLE = 1 << 14

#: The most places of one kind that a message names.
MOST_PLACES = 3

# The marks of UTF-32 begin with those of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# The encodings that spreadsheets and help desks write besides UTF-8, by Python's names.
# A spreadsheet that says Shift JIS writes cp932, and Latin-1 is a part of cp1252.
_LEGACY = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("cp1258", "cp874", "cp932", "cp949", "gb18030", "big5hkscs", "euc_jis_2004"),
    *("iso2022_jp_2", "iso8859-2", "iso8859-5", "koi8-r", "koi8-u", "mac-roman"),
    *("mac-cyrillic", "cp866", "cp850"),
)
# Their common names.
_NAMES = {
    "utf-8": "UTF-8",
    **{f"utf-{n}-{end}": f"UTF-{n}" for n in (16, 32) for end in ("le", "be")},
    **{f"cp125{n}": f"Windows-125{n}" for n in range(9)},
    "cp932": "Shift-JIS (Windows-932)",
    "cp949": "EUC-KR (Windows-949)",
    "cp874": "Windows-874",
    "gb18030": "GB18030 (GBK)",
    "big5hkscs": "Big5",
    "euc_jis_2004": "EUC-JP",
    "iso2022_jp_2": "ISO-2022-JP",
    "mac-roman": "Mac Roman",
    "cp866": "DOS 866",
    "cp850": "DOS 850",
}

# Stands for invalid bytes until their line is known: a noncharacter, which no real text
# contains, and none of those in `bot.text.characters`.
_INVALID = "\ufdd2"
_REPLACED = "\ufffd"

_WORD = re.compile(r"[^\W\d_]{2,}")
# Characters that word processors put into English.
_TYPOGRAPHIC = "‘’“”–—…•€£©®™°\u00a0"
_TYPED = re.compile(rf"\w{{0,20}}[{_TYPOGRAPHIC}]\w{{0,20}}")
_SIGN_IN_WORD = re.compile(
    r"[^\W\d_][\x80-\x9f¡-©«-´¶-¹»-¿×÷‚„…†‡‰‹›€™\u2500-\u25ff][^\W\d_]"
)


def _mark_invalid(error: UnicodeError) -> tuple[str, int]:
    """A handler for `errors`: `_INVALID` for each invalid byte."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    if error.encoding.startswith("utf-8"):
        # A lone surrogate, which some programs write, is one character.
        some = error.object[error.start : error.start + 3]
        with contextlib.suppress(UnicodeDecodeError):
            if len(some.decode("utf-8", "surrogatepass")) == 1:
                return _INVALID, error.start + 3
    return _INVALID, error.end


_ERRORS = "threadkeep-invalid"
codecs.register_error(_ERRORS, _mark_invalid)


@dataclass(frozen=True)
class Encoding:
    """The encoding of a file."""

    #: Python's name of it.
    codec: str
    #: The length of the byte order mark in front of the text, in bytes.
    skip: int = 0
    #: A clause that says how it was found.
    evidence: str = ""
    #: Whether it is a guess, which may be wrong.
    guessed: bool = False
    #: For a guess, some of the words that it decides on.
    words: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name for people."""
        return _NAMES.get(self.codec, self.codec)


@dataclass
class Places:
    """The places of one kind of finding: their number, and the first lines."""

    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int, count: int = 1) -> None:
        """Count `count` more in `line`."""
        self.count += count
        if len(self.lines) < MOST_PLACES and line not in self.lines:
            self.lines.append(line)

    def __str__(self) -> str:
        named = ", ".join(f"{line:,}" for line in self.lines)
        if not self.lines[1:]:
            return messages.line(number=named)
        if self.count > len(self.lines):
            return messages.lines_and_others(numbers=named)
        return messages.lines(numbers=named)


@dataclass
class Damage:
    """Replacements made while the lines of a file were read."""

    invalid: Places = field(default_factory=Places)
    nul: Places = field(default_factory=Places)


def named(encoding: str) -> Encoding:
    """Return the encoding that people call `encoding`. Raises ConfigError."""
    try:
        codec = codecs.lookup(encoding)
        if not getattr(codec, "_is_text_encoding", True):
            raise LookupError
        "a".encode(codec.name)
    except (LookupError, ValueError, UnicodeError):
        raise ConfigError(
            messages.unknown_encoding(encoding=repr(encoding[:40]))
        ) from None
    return Encoding(codec.name, evidence=messages.AS_ENCODING_SAYS)


def is_binary(head: bytes, encoding: Encoding) -> bool:
    """Return whether a file that begins with `head` is no text in `encoding`."""
    text = head[encoding.skip :].decode(encoding.codec, "replace")
    odd = sum(
        unicodedata.category(each) == "Cc" and not each.isspace() for each in text
    )
    # In what was guessed, each control character speaks against the guess.
    return odd > len(text) * (0.03 if encoding.guessed else 0.25) + 1


def detect(path: Path) -> Encoding:
    """Return the encoding of the file `path`. Raises OSError."""
    with path.open("rb") as file:
        return detect_in(file)


def detect_in(file: BinaryIO) -> Encoding:
    """Return the encoding of `file`, which is at its beginning. Raises OSError.

    All of the file is read once; what is guessed, is guessed from a part of it.
    """
    head = file.read(_BLOCK)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            if codec == "utf-8":
                break
            return Encoding(codec, len(mark), messages.BY_BYTE_ORDER_MARK)
    if found := _wide(head):
        return Encoding(found, 0, messages.BY_NUL_BYTES, guessed=True)
    skip = 3 if head.startswith(codecs.BOM_UTF8) else 0
    file.seek(skip)
    sample, valid, invalid = _survey(file)
    # ISO-2022-JP is ASCII with escapes.
    escapes = b"\x1b$" in sample and b"\x1b(" in sample
    if not invalid and not escapes:
        return Encoding("utf-8", skip, messages.ALL_VALID)
    if invalid and invalid <= valid:
        return Encoding("utf-8", skip, messages.all_but(count=invalid))
    codec, words = _guess(sample)
    if not words and 0 < invalid <= MOST_PLACES:
        # Nothing speaks for another encoding: a few bytes are broken.
        return Encoding("utf-8", skip, messages.all_but(count=invalid))
    return Encoding(codec, skip, messages.GUESSED, guessed=True, words=words)


def _wide(head: bytes) -> str:
    """Return the encoding of a `head` without a byte order mark whose NUL bytes show
    UTF-16 or UTF-32, else ""."""
    head = head[: min(len(head), _WIDE_SAMPLE) // 4 * 4] or head
    if b"\0" not in head:
        return ""
    found = []
    for codec in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        text = head.decode(codec, "replace")
        if _is_text(text) and not (codec[4:6] == "16" and _is_ascii_in_pairs(head)):
            found.append((sum(map(str.isascii, text)), codec))
    return max(found, default=(0, ""))[1]


def _is_text(text: str) -> bool:
    """Return whether `text` has lines, and next to nothing that no text has."""
    odd = sum(
        unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs")
        or character == _REPLACED
        for character in text.replace("\n", "").replace("\r", "").replace("\t", "")
    )
    return ("\n" in text or "\r" in text) and odd <= len(text) * 0.01


def _is_ascii_in_pairs(head: bytes) -> bool:
    """Return whether most pairs of bytes are two characters of ASCII, and no character
    of UTF-16."""
    pairs = sum(
        0x20 <= one < 0x7F and 0x20 <= two < 0x7F
        for one, two in zip(head[::2], head[1::2], strict=False)
    )
    return pairs > len(head) / 4


def _survey(file: BinaryIO) -> tuple[bytes, int, int]:
    """Return a sample of the lines that are not ASCII, and how many characters of the
    file are valid and invalid in UTF-8, without those in ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")(_ERRORS)
    sample = bytearray()
    valid = invalid = 0
    while block := file.read(_BLOCK):
        text = decoder.decode(block)
        if not text.isascii():
            broken = text.count(_INVALID)
            invalid += broken
            valid += len(text) - len(text.encode("ascii", "ignore")) - broken
        if len(sample) < _SAMPLE and (not block.isascii() or b"\x1b" in block):
            for line in block.splitlines():
                if not line.isascii() or b"\x1b" in line:
                    sample += line[:_SAMPLE] + b"\n"
                if len(sample) >= _SAMPLE:
                    break
    invalid += decoder.decode(b"", final=True).count(_INVALID)
    return bytes(sample), valid, invalid


def _guess(sample: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the most likely encoding of `sample`, which is not UTF-8, and some words
    that show it."""
    for typed in ("cp1252", "mac-roman"):
        text = sample.decode(typed, "replace")
        others = {each for each in text if not each.isascii()}
        if others and others <= {*_TYPOGRAPHIC}:
            return typed, tuple(_TYPED.findall(text)[:3])
    ranked = chardet.detect_all(
        sample,
        ignore_threshold=True,
        include_encodings=_LEGACY,
        compat_names=False,
    )
    found: list[tuple[float, str, str]] = []
    for each in ranked:
        if codec := each["encoding"]:
            text = sample.decode(codec, "replace")
            found.append((each["confidence"] * _plausibility(text), codec, text))
    # The first of those that are equal is the more common one.
    _, codec, text = max(
        found,
        key=lambda each: each[0],
        default=(0.0, "cp1252", sample.decode("cp1252", "replace")),
    )
    if text == sample.decode("cp1252", "replace"):
        codec = "cp1252"
    return codec.lower(), _words(text)


def _plausibility(text: str) -> float:
    """Return from 0 to 1 how few words in `text` mix alphabets, hold signs or change to
    capitals, as they do where a text is decoded as what it is not."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    strange = sum(
        len({_script(letter) for letter in word}) > 1
        or any(a.islower() and b.isupper() for a, b in itertools.pairwise(word))
        for word in words
    )
    strange += len(_SIGN_IN_WORD.findall(text))
    return max(0.0, 1 - 2 * strange / len(words)) if words else 0.05


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "?").split()[0]
    # Japanese mixes three scripts within a word.
    return "CJK" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else name


def _words(text: str) -> tuple[str, ...]:
    found = dict.fromkeys(w[:20] for w in _WORD.findall(text) if not w.isascii())
    return tuple(found)[:3]


def lines(path: Path, encoding: Encoding, damage: Damage) -> Iterator[str]:
    """Yield the lines of `path` with their ends, and record in `damage` what had to be
    replaced.

    Raises OSError, and ConfigError for a line that is longer than `MOST_LINE`.
    """
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        raw.seek(encoding.skip)
        file = stack.enter_context(
            io.TextIOWrapper(raw, encoding=encoding.codec, errors=_ERRORS, newline="")
        )
        number = 0
        while line := file.readline(MOST_LINE):
            number += 1
            if number == 1:
                # A second mark: some programs put one in front of another.
                line = line.lstrip("\ufeff") or "\n"
            if _INVALID in line:
                damage.invalid.add(number, line.count(_INVALID))
                line = line.replace(_INVALID, _REPLACED)
            if "\0" in line:
                damage.nul.add(number, line.count("\0"))
            if len(line) >= MOST_LINE:
                raise ConfigError(messages.line_too_long(line=number, most=MOST_LINE))
            yield line
