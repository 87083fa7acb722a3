"""Texts of the offline model, which replaces Claude if there is no key."""

CANNOT_SORT = (
    "Without Claude I can't triage. Please ask the bot's operator to set "
    "`ANTHROPIC_API_KEY`."
)
CANNOT_SORT_LOG = "there is no triage without a key: set ANTHROPIC_API_KEY"
NOT_CLAUDE = (
    "**This is the offline model, not Claude.** It answers from a script and costs "
    "nothing. Set `ANTHROPIC_API_KEY` and start me again, and Claude answers here."
)
SAID_LAST = "The last message:"
TRY = (
    "Ask me for **a table**, **code**, **the cost** or something **long**, and see how "
    "an answer arrives; you can stop it. Ask what I **read** to see what Claude gets."
)
INTRO = """\
## Claude in your team's threads

Threadkeep brings Claude into Slack and Discord. Somebody mentions it, it reads what \
was said and answers in the thread, and everybody there sees the answer as it is \
written. Here it is the same with one person: all of it stays on this machine."""
NEXT = """\
| What to do next | How |
|:--|:--|
| Get answers from Claude | set `ANTHROPIC_API_KEY`, from console.anthropic.com |
| Connect Slack or Discord | `threadkeep setup` leads you through it |
| See what can be set | type `settings`, or `/settings` in a terminal |"""
SET_UP = "In a shell, that is:"
TABLE = """\
## Where you can ask

| Where | You ask by | The answer |
|:--|:--|:--|
| Slack | mentioning it, or in a direct message | streams into the thread |
| Discord | `/ask`, or mentioning it | grows in a thread of its own |
| Terminal | typing a line | is drawn as it is written |
| Shell | `threadkeep ask` | goes to standard output |

A table is drawn as text where a platform has none."""
CODE = "## Code keeps its colours and its layout"
CODE_TOO = "From a shell, you can ask about a file or sort a table of tickets:"
COST = """\
## What an answer costs

This one is free. With Claude, 2,000 tokens read and 500 written cost about:"""
COST_HEAD = "| Model | One answer | 1,000 answers |"
BUDGETS = """\
- A **budget** is a hard limit: what an answer can cost at most is reserved before \
Claude is asked.
- `budget day 5` sets one, `usage` shows what was spent and by whom.
- `model haiku` chooses a cheaper model, `auto` lets each thread choose."""
CLAUDE_READS = "What Claude would read:"


def last_message_of(*, author: str) -> str:
    return f"The last message, by {author}:"


def messages_in_turns(*, messages: str, turns: str) -> str:
    return f"- {messages} in {turns}"


def given_file(*, file: str, kind: str, kilobytes: str) -> str:
    return f"{file} ({kind}, {kilobytes} KB)"


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
