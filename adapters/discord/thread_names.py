"""Derives the name of a thread from the words of a question. Pure.

Rule 1: everybody in a channel sees the name of a thread, and clients show it
unformatted. So a name has no Markdown, no spoilers and no invisible characters.
Rule 2: a name is taken from the author's own words if possible, otherwise from quoted
lines, code, excerpts, names of files or quoted messages, in this order.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import partial

from adapters.discord import markup
from bot.domain.message import Message
from bot.messages.controls import A_QUESTION
from bot.rendering.inline import plain
from bot.rendering.markdown import joins

#: The most characters of a thread's name (facts B6).
NAME_CHARS = 100
UNNAMED = A_QUESTION

# A line with fewer characters says too little, unless it is a question: it may be a
# greeting, or the first words of a sentence.
SHORT = 20

# How many characters of a text are searched for a name.
_SEARCHED = 4_000

_FENCE = re.compile(r"```++|~~~++")
# The rest of the line after a fence, which names a language.
_INFO = re.compile(r"[^\s`]*+[ \t]*+\n")
_SPOILER = re.compile(r"\|\|.+?\|\|", re.DOTALL)
_LINK = re.compile(r"!?\[([^\[\]\n]++)\]\((?:[^()\s]|\([^()\s]*+\))++[^()\n]*+\)")
_LABEL = re.compile(r"\[[^\[\]]++\]")
# Markdown at the beginning of a line, for quotes, headings and lists.
_MARKS = re.compile(
    r"(?:\s|>|#{1,6}(?=\s)|-#(?=\s)|[-*+](?=\s)|[0-9]{1,3}[.)](?=\s))++"
)
_BLANKS = re.compile(r"\s++")
# Invisible characters, except those that join letters and emoji.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff"
    r"\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
# Characters to be removed before an ellipsis.
_ENDS = " ,.;:-"


def name_of(question: Message, text: str) -> str:
    """Return the name of the thread in which `question` is answered; `text` is the
    readable text of the question."""
    quoted = (line for each in question.quotes for line in _words(each.text))
    files = (each.name for each in question.files)
    lines = [*_words(text), *files, *quoted]
    bare = [line for line in map(_bare, lines) if line]
    for line in bare:
        if any(map(str.isalnum, line)):
            return _cut(line)
    # The question has only emoji or punctuation.
    shown = [line for line in bare if any(map(_is_symbol, line))]
    return _cut(f"{UNNAMED}: {shown[0]}") if shown else UNNAMED


def _words(text: str) -> Iterator[str]:
    """Yield the lines of `text`, beginning with the author's own words."""
    typed, quoted = markup.parts(text[:_SEARCHED])
    pieces = _FENCE.split(typed)
    code = [_without_info(each) for each in pieces[1::2]]
    prose = markup.outside_code("\n".join(pieces[::2]), partial(_SPOILER.sub, "…"))
    own, others = list[str](), list[str]()
    for line in prose.splitlines():
        (others if line.lstrip().startswith(">") else own).append(line)
    yield from _joined(own)
    yield from map(_prose, others)
    yield from _lines(code)
    labels = (line for line in quoted.splitlines() if not _LABEL.fullmatch(line))
    yield from map(_prose, labels)


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Yield `lines` without their Markdown, each short one together with the next,
    except headings and items of lists."""
    held = ""
    for line in lines:
        words, marks = _prose(line), _MARKS.match(line)
        if marks and marks[0].strip():
            yield from (held, words)
            held = ""
            continue
        held = f"{held} {words}".strip()
        if len(held) >= SHORT or held.endswith(("?", "？")):
            yield held
            held = ""
    yield held


def _without_info(code: str) -> str:
    match = _INFO.match(code)
    return code[match.end() :] if match else code


def _lines(texts: Iterable[str]) -> Iterator[str]:
    return (line for text in texts for line in text.splitlines())


def _prose(line: str) -> str:
    """Return `line` without its Markdown."""
    marks = _MARKS.match(line)
    words = line[marks.end() :] if marks else line
    return plain(_LINK.sub(r"\1", words)).replace("`", "")


def _bare(line: str) -> str:
    """Return `line` without mentions, invisible characters and blanks at its ends."""
    seen = _UNSEEN.sub("", markup.without_tokens(line))
    return _BLANKS.sub(" ", seen).strip()


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character)[0] in "SP" and character not in "*_~`|>#-…"


def _cut(line: str) -> str:
    """Return as much of `line` as fits, cut between words if possible."""
    if len(line) <= NAME_CHARS:
        return line
    end = NAME_CHARS - 1
    while end > 1 and joins(line, end):
        end -= 1
    head = line[:end]
    # A word that is longer than a name is cut anywhere.
    return f"{(head.rpartition(' ')[0] or head).rstrip(_ENDS)}…"
