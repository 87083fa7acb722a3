"""Detects the encoding of a file, and reads its lines.

Rule 1: evidence comes first: a byte order mark, the positions of NUL bytes, and whether
the file is (almost) valid UTF-8. Only without evidence is the encoding guessed, and the
result is marked as a guess.
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

#: In characters. Rows of several megabytes are still read; a longer line is not a row.
MOST_LINE = 16_000_000

#: The size of the sample of non-ASCII lines, in bytes.
_SAMPLE = 200_000
_BLOCK = 1 << 20
#: The size of the sample for UTF-16 and UTF-32, in bytes.
_WIDE_SAMPLE = 1 << 14

#: The most line numbers of one kind that a message names.
MOST_PLACES = 3

# UTF-32 comes first, since its marks begin with those of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# The encodings other than UTF-8 that spreadsheets and help desks write, by Python's
# names. Spreadsheets write cp932 when they say Shift JIS, and cp1252 includes Latin-1.
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

# A placeholder for invalid bytes until their line is known. A noncharacter, which no
# real text contains, other than the ones in `bot.text.characters`.
_INVALID = "\ufdd2"
_REPLACED = "\ufffd"

_WORD = re.compile(r"[^\W\d_]{2,}")
# Characters that word processors insert into English text.
_TYPOGRAPHIC = "‘’“”–—…•€£©®™°\u00a0"
_TYPED = re.compile(rf"\w{{0,20}}[{_TYPOGRAPHIC}]\w{{0,20}}")
_SIGN_IN_WORD = re.compile(
    r"[^\W\d_][\x80-\x9f¡-©«-´¶-¹»-¿×÷‚„…†‡‰‹›€™\u2500-\u25ff][^\W\d_]"
)


def _mark_invalid(error: UnicodeError) -> tuple[str, int]:
    """Replace each invalid byte by `_INVALID`. A handler for `errors`."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    if error.encoding.startswith("utf-8"):
        # Some programs write lone surrogates. Count the three bytes as one character.
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

    #: The name of the codec in Python.
    codec: str
    #: The length of the byte order mark before the text, in bytes.
    skip: int = 0
    #: A clause that says how the encoding was detected.
    evidence: str = ""
    #: Whether the encoding is a guess, which may be wrong.
    guessed: bool = False
    #: For a guess, some words whose spelling depends on the encoding.
    words: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name for people."""
        return _NAMES.get(self.codec, self.codec)


@dataclass
class Places:
    """The places of one kind of finding: their count, and the first line numbers."""

    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int, count: int = 1) -> None:
        """Add `count` findings in line `line`."""
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
    """Return the encoding named `encoding`. Raises ConfigError if it is unknown."""
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
    """Return whether a file that begins with `head` is not text in `encoding`."""
    text = head[encoding.skip :].decode(encoding.codec, "replace")
    odd = sum(
        unicodedata.category(each) == "Cc" and not each.isspace() for each in text
    )
    # After a guess, control characters are evidence against the guess.
    return odd > len(text) * (0.03 if encoding.guessed else 0.25) + 1


def detect(path: Path) -> Encoding:
    """Return the encoding of the file `path`. Raises OSError."""
    with path.open("rb") as file:
        return detect_in(file)


def detect_in(file: BinaryIO) -> Encoding:
    """Return the encoding of `file`, whose position must be 0. Raises OSError.

    The whole file is read once; a guess is based on a sample.
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
        # There is no evidence for another encoding, so a few bytes are damaged.
        return Encoding("utf-8", skip, messages.all_but(count=invalid))
    return Encoding(codec, skip, messages.GUESSED, guessed=True, words=words)


def _wide(head: bytes) -> str:
    """Detect UTF-16 or UTF-32 without a byte order mark by the NUL bytes of `head`.

    Return "" for anything else.
    """
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
    """Return whether `text` has lines, and almost no characters that text never has."""
    odd = sum(
        unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs")
        or character == _REPLACED
        for character in text.replace("\n", "").replace("\r", "").replace("\t", "")
    )
    return ("\n" in text or "\r" in text) and odd <= len(text) * 0.01


def _is_ascii_in_pairs(head: bytes) -> bool:
    """Return whether most pairs of bytes are two ASCII characters, so not UTF-16."""
    pairs = sum(
        0x20 <= one < 0x7F and 0x20 <= two < 0x7F
        for one, two in zip(head[::2], head[1::2], strict=False)
    )
    return pairs > len(head) / 4


def _survey(file: BinaryIO) -> tuple[bytes, int, int]:
    """Return a sample of the non-ASCII lines, and two counts for UTF-8.

    The counts are of the valid non-ASCII characters and of the invalid characters in
    the whole file.
    """
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
    """Return the most likely encoding of `sample`, which is not UTF-8.

    Also return some words that illustrate the guess.
    """
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
    # The first of equal candidates is the more common encoding.
    _, codec, text = max(
        found,
        key=lambda each: each[0],
        default=(0.0, "cp1252", sample.decode("cp1252", "replace")),
    )
    if text == sample.decode("cp1252", "replace"):
        codec = "cp1252"
    return codec.lower(), _words(text)


def _plausibility(text: str) -> float:
    """Return the plausibility of a decoded `text`, from 0 to 1.

    Text decoded with the wrong encoding has words that mix alphabets, contain symbols
    or switch to capitals within the word.
    """
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


def _line(file: io.TextIOWrapper, encoding: Encoding) -> str:
    try:
        return file.readline(MOST_LINE)
    except UnicodeError:
        # Some codecs raise it whatever the handler of errors: UTF-16 without a byte
        # order mark.
        raise ConfigError(messages.not_in_encoding(encoding=encoding.name)) from None


def lines(path: Path, encoding: Encoding, damage: Damage) -> Iterator[str]:
    """Yield the lines of `path` with their line ends.

    Replacements are recorded in `damage`. Raises OSError, and ConfigError for a line
    longer than `MOST_LINE` and for a file that is not in `encoding`.
    """
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        raw.seek(encoding.skip)
        file = stack.enter_context(
            io.TextIOWrapper(raw, encoding=encoding.codec, errors=_ERRORS, newline="")
        )
        number = 0
        while line := _line(file, encoding):
            number += 1
            if number == 1:
                # Some programs write a second byte order mark.
                line = line.lstrip("\ufeff") or "\n"
            if _INVALID in line:
                damage.invalid.add(number, line.count(_INVALID))
                line = line.replace(_INVALID, _REPLACED)
            if "\0" in line:
                damage.nul.add(number, line.count("\0"))
            if len(line) >= MOST_LINE:
                raise ConfigError(messages.line_too_long(line=number, most=MOST_LINE))
            yield line
