"""What the offline model says, which answers without a key and is not Claude."""

CANNOT_SORT = (
    "Without Claude I can't triage. Please ask the bot's operator to set "
    "`ANTHROPIC_API_KEY`."
)
CANNOT_SORT_LOG = "there is no triage without a key: set ANTHROPIC_API_KEY"
NOT_CLAUDE = (
    "**This is the offline model, not Claude.** Set `ANTHROPIC_API_KEY` and start me "
    "again, and Claude answers here."
)
SAID_LAST = "The last message:"
ASK_FOR_LONG = "Say *long* for an answer that needs several messages."
CLAUDE_READS = "What Claude would read:"


def last_message_of(*, author: str) -> str:
    return f"The last message, by {author}:"


def messages_in_turns(*, messages: str, turns: str) -> str:
    return f"- {messages} in {turns}"


def files(*, files: str) -> str:
    return f"- files: {files}"


def instructions(*, prompt: str) -> str:
    return f"- instructions: {prompt}"


def model(*, model: str, tokens: int) -> str:
    return f"- model: `{model}`, at most {tokens} tokens"


def effort(*, effort: str) -> str:
    return f"- effort: {effort}"


# The long answer.
LONG_ANSWER = "## A long answer"
LONG_CODE = "### Code that is longer than one message"
LONG_TABLE = "### A table"
LONG_TEXT = "### And some more text"
FILLER = (
    "This paragraph says nothing, at some length. It is here so that you can see where "
    "a reply is split, and that no word is lost when it is."
)
LONG_END = "That is all."
