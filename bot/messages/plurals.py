"""Nouns with a number: "1 answer", "2 answers"."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plural:
    """A noun in singular and plural. Call it to format a number with the noun."""

    one: str
    other: str

    def __call__(self, number: int) -> str:
        """Return the number, with separators, and the matching form of the noun."""
        return f"{number:,} {self.one if number == 1 else self.other}"


ANSWERS = Plural("answer", "answers")
BYTES = Plural("byte", "bytes")
MORE_CHANNELS = Plural("more channel", "more channels")
CHANNELS = Plural("channel", "channels")
CHARACTERS = Plural("character", "characters")
CORRECTED_MESSAGES = Plural("corrected message", "corrected messages")
DAYS = Plural("day", "days")
DIFFERENT_TICKETS = Plural("different ticket", "different tickets")
DISAGREEMENTS = Plural("disagreement", "disagreements")
EARLIER_MESSAGES = Plural("earlier message", "earlier messages")
FILES = Plural("file", "files")
HOURS = Plural("hour", "hours")
LINES = Plural("line", "lines")
MESSAGES = Plural("message", "messages")
MINUTES = Plural("minute", "minutes")
MORE_FILES = Plural("more file", "more files")
MORE_REFUSALS = Plural("more refusal", "more refusals")
MY_ANSWERS = Plural("answer of mine", "answers of mine")
MORE_SOURCES = Plural("more source", "more sources")
NUL_BYTES = Plural("NUL byte", "NUL bytes")
PAGES = Plural("page", "pages")
QUESTIONS = Plural("question", "questions")
REPLIES = Plural("reply", "replies")
REQUESTS = Plural("request", "requests")
ROWS = Plural("row", "rows")
SEARCHES = Plural("search", "searches")
SECONDS = Plural("second", "seconds")
SETTINGS = Plural("setting", "settings")
TICKETS = Plural("ticket", "tickets")
TIMES = Plural("time", "times")
TOKENS = Plural("token", "tokens")
TOOLS = Plural("tool", "tools")
TURNS = Plural("turn", "turns")
WORKSPACES = Plural("workspace", "workspaces")
