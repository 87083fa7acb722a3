"""Every sentence that people read stands in `bot.messages`, and is short and plain."""

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path

from bot.commands.catalog import COMMANDS
from tests.support import code
from tests.support.messages_page import FILE, messages, page
from tests.test_architecture import MODULES, ROOT

pytestmark = code.WALKS

# The most characters of a message, of a sentence, and of a label.
MOST_CHARS, MOST_SENTENCE, MOST_LABEL = 300, 200, 100
# Words and parts of sentences, which have no full stop.
LABELS = {"dates", "labels", "options", "phrases", "plurals", "summaries"}
# Clauses behind a colon, and findings in a table.
CLAUSES = LABELS | {"check", "claude", "files", "yaml"}
# More words than this, behind a capital, are a sentence.
FEW_WORDS = 6

# Riddles, and words of our own for what people call otherwise.
_ODD = re.compile(
    r"\b(afresh|lest|shall|whoever|whomever|wherever|administers?|read no more|"
    r"take[ns]? back|stands? there|rehearsal|steward|heard|told|lanes?|desk|"
    r"authority|beheld)\b",
    re.IGNORECASE,
)
# Wordings that readers had to read twice: what says the same stands in the catalogue.
_REPLACED = re.compile(
    r"\b(there you go on|told to be|gone on with|comes next|so already|left over from|"
    r"among those who|those who may|administer|nothing left to say|used up the whole|"
    r"nothing that I could|fills all|put it differently|had nothing to say|do either|"
    r"(?:a day|a month)'s budget|more than is left|ever set|any more|so far|in vain|"
    r"by the setting|whether that is|which one shall|looks after|"
    r"is there twice|what one person may)\b",
    re.IGNORECASE,
)
# British spelling, as everywhere in the docs. "canceled:" is a word of the API.
_AMERICAN = re.compile(
    r"\b(canceled(?!:)|canceling|labeled|organizations?|recognized?|behaviors?|colors?|"
    r"favorites?|centers?|catalogs?|authorized?|customized?)\b",
    re.IGNORECASE,
)
_ERROR = re.compile(r"\b[A-Z]\w+(?:Error|Exception)\b|Traceback")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
_MARKS = "*_`~>- "
_END = re.compile(r"[.!?:…](?:[*_`”\"')]*)$")


@cache
def catalogue() -> list[tuple[str, str, str]]:
    """Return module, name and text of every message."""
    return list(messages())


def test_messages_are_short_and_plain() -> None:
    faults = {
        f"{module}.{name}": found
        for module, name, text in catalogue()
        if (found := list(_faults(module, text)))
    }
    assert faults == {}


def _faults(module: str, text: str) -> Iterator[str]:
    """Yield what is wrong with a message of a module of the catalogue."""
    if not text.strip():
        yield "empty"
        return
    if "  " in text:
        yield "two spaces"
    if text.count("!") > 1:
        yield "more than one exclamation mark"
    for pattern in (_ODD, _REPLACED, _AMERICAN, _ERROR):
        if found := pattern.search(text):
            yield found[0]
    # Items of a list and rows of a table are read one by one.
    items = ("- ", "|")
    whole = "\n".join(each for each in text.splitlines() if not each.startswith(items))
    if len(whole) > (MOST_LABEL if module in LABELS else MOST_CHARS):
        yield f"{len(whole)} characters"
    if (longest := max(map(len, _SENTENCE_END.split(text)))) > MOST_SENTENCE:
        yield f"a sentence of {longest} characters"
    is_item = text.splitlines()[-1].startswith("- ")
    is_sentence = text.strip(_MARKS)[0].isupper() and len(text.split()) > FEW_WORDS
    has_end = _END.search(text.rstrip()) or text.rstrip().endswith(("}", "|"))
    if module not in CLAUSES and is_sentence and not is_item and not has_end:
        yield "no full stop"


def test_nothing_is_said_twice_in_a_room() -> None:
    for module in {module for module, _, _ in catalogue()}:
        texts = [text for each, _, text in catalogue() if each == module]
        assert len(texts) == len(set(texts)), module


# Calls that show their arguments to people, or print them: one word is a label there.
SHOWN_BY = {
    *("Response", "Unacceptable", "Denied", "ConfigError", "AccessRevoked", "InUse"),
    *("Button", "Choice", "Menu", "Field", "Form", "Section", "Finding", "Option"),
    *("CommandSpec", "Parameter", "say", "complain", "_say", "Drawn", "tell"),
    *("button", "Button", "option", "Encoding", "Column", "JsonRow", "_foreign"),
    *("command", "group"),
}
# Calls that make heads and cells of tables, which are small letters, too.
TABLES = {"add_column", "add_row", "Table", "_table"}
# Calls whose arguments people do not read, each with the reason.
NOT_SHOWN_BY = {
    **dict.fromkeys(
        ("start", "_start", "begin", "_begin", "later", "_start_work"), "a task"
    ),
    **dict.fromkeys(
        ("report", "contained", "translated"), "a task or call, in the log"
    ),
    **dict.fromkeys(("Outcome", "_failure"), "the reason of an outcome, in the log"),
    **dict.fromkeys(("AssertionError", "ValueError", "ExceptionGroup"), "a bug"),
    **dict.fromkeys(
        (
            *("DeliveryError", "Rerouted", "ThreadGone", "Throttled", "Unfit"),
            *("ModelUnreachable", "StorageBusy"),
        ),
        "the log; people read the `user_text` of the error",
    ),
    "claim_notice": "the name of a notice",
    "compile": "a pattern",
    **dict.fromkeys(("_set", "phrases", "words"), "what people say, in many languages"),
}
# How texts begin that are not for people, each with the reason.
NOT_FOR_PEOPLE = {
    "You sort questions for": "Claude reads it to choose a model",
    "Between <ticket> tags": "Claude reads it with a ticket",
    "text/event-stream": "the name of a type",
    "Bearer error=": "the word of a header",
    "One of:": "Claude reads it with a ticket",
    "Any of, or none:": "Claude reads it with a ticket",
    "You are Threadkeep": "the default prompt",
    "Please go on exactly": "Claude reads it if an answer is continued",
    "[This answer was not finished": "Claude reads it behind a cut answer",
    "instructions, fields, examples": "names in a scheme",
    "about, type, values": "names in a scheme",
    "{}: '{} green bottles": "code",
    "--batch": "the name of an option",
    "threadkeep: {}": "the name of the program",
    "bold ": "a style",
    "Cloud Run": "the name of a product",
    "Mac Roman": "the name of an encoding",
    "JSON Lines": "the name of a format",
    "ticket id": "the name of a column",
    "text/html": "a media type",
    "application/json": "a media type",
    "application/octet-stream": "a media type",
    "attachment; filename": "the header of a file",
    **dict.fromkeys(
        ("<span class", "<bdi class", "<div class", "<figure class"), "tags"
    ),
    "default-src": "a policy of pages",
    "noopener": "what a link is to its page",
    "stay out": "what people say",
    "come back": "what people say",
    "triage this": "the name of a command",
    "more than can be listed": "the store's name of what is not listed",
    "rolled back": "the store's name of a change",
    "turned away {}": "names a notice",
    "slack scopes {}": "names a problem",
    "slack keys": "names a problem",
    "slack token {}": "names a problem",
    "slack oauth": "names a problem",
    "discord permissions": "names a problem",
    "sh\n": "code",
    "python\n": "code",
    "given up:": "the reason of an outcome",
    "thread gone": "the reason of an outcome",
    "turn {} is another": "the text of an error, for the log",
    "no money for another request": "the text of an error, for the log",
    "the statement returned no rows": "the text of an error, for the log",
    "the connection is lost": "the text of an error, for the log",
    ", the app needs the scope": "the text of an error, for the log",
}
# Modules whose texts are not for people, each with the reason.
FOR_CLAUDE = {
    Path("adapters/web/console_charts.py"): "SVG",
    Path("storage/dialect.py"): "words of SQL",
    Path("adapters/slack/oauth_pages.py"): "tags and styles",
    Path("storage/spending.py"): "columns of SQL",
    Path("storage/exploration.py"): "names of columns",
    Path("adapters/web/metrics.py"): "the help of metrics, for monitoring",
    Path("adapters/web/api_description.py"): "the API, described for programs",
    Path("adapters/web/api_values.py"): "the API, described for programs",
    Path("adapters/discord/content.py"): "the excerpts of polls, as Claude reads them",
    Path("adapters/discord/thread_titles.py"): "an excerpt, as Claude reads it",
    Path("adapters/discord/markup.py"): "dates and places, as Claude reads them",
    Path("adapters/slack/message_content.py"): "excerpts, as Claude reads them",
    Path("bot/context/files/notes.py"): "names of files, as Claude reads them",
    Path("bot/context/long_threads.py"): "notes on what was left out",
    Path("bot/context/prompt.py"): "the system prompt",
    Path("bot/context/summaries.py"): "how to summarise a thread",
    Path("bot/text/excerpts.py"): "what stands for attached files",
    Path("bot/text/file_lines.py"): "the lines that name files",
}
_WORDS = re.compile(r"[A-Za-z’']{2,}[,:;]? [A-Za-z’'{]{2,}|[A-Z][a-z]+ …")
_WORD = re.compile(r"[A-Za-z]{2,}")
# Names of months and days, and of halves of the day.
_DATE = re.compile(r"%[aAbBp]")
# Names of styles, columns and commands, and SQL.
_NAME = re.compile(r"\A[a-z0-9_-]+\Z")
_SQL = re.compile(
    r"\A\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|BEGIN|VACUUM|PRAGMA|CREATE|LISTEN"
    r"|ANALYZE|AFTER|BEFORE|CASE|COPY|ALTER TABLE|DROP TABLE|DROP TRIGGER"
    r"|SAVEPOINT|ROLLBACK TO|RELEASE)\b"
    r"|\A(?:iif|coalesce)\("
    r"|\b(?:AND|CAST|IN|LIKE|ORDER BY|SELECT|WHERE)\b|= :"
)
_COMMANDS = {command.name for command in COMMANDS}


def test_no_text_stands_outside_the_catalogue() -> None:
    found = {
        f"{path}:{line}": text
        for path in MODULES
        if path.parts[:2] != ("bot", "messages") and path not in FOR_CLAUDE
        for line, text in _texts(path)
        if not text.startswith(tuple(NOT_FOR_PEOPLE))
    }
    assert found == {}


def test_an_exception_is_in_the_code() -> None:
    texts = [text for path in MODULES for _, text in _texts(path)]
    used = {b for b in NOT_FOR_PEOPLE if any(text.startswith(b) for text in texts)}
    assert NOT_FOR_PEOPLE.keys() - used == set()
    assert [path for path in FOR_CLAUDE if not _texts(path)] == []
    calls = {_called(node) for path in MODULES for node in _nodes(path)}
    assert NOT_SHOWN_BY.keys() - calls == set()


def test_help_for_a_command_is_in_the_catalogue() -> None:
    """Click shows a docstring where a command has no `help`."""
    commands = [
        call
        for path in MODULES
        if "cli" in path.parts
        for node in _nodes(path)
        if isinstance(node, ast.FunctionDef)
        for call in node.decorator_list
        if isinstance(call, ast.Call)
        and getattr(call.func, "attr", "") in ("command", "group")
    ]
    for call in commands:
        [text] = [each.value for each in call.keywords if each.arg == "help"]
        assert ast.unparse(text).startswith("command_help.")


def test_every_message_is_used() -> None:
    """A sentence that no code names is one that nobody reads."""
    used = {found for path in MODULES for found in _used(path)}
    used |= {found for path in TEMPLATES for found in _used_in_template(path)}
    assert {f"{module}.{name}" for module, name, _ in catalogue()} - used == set()


# Pages and scripts, which take their words from the catalogue: its modules by the name
# that templates have for them.
TEMPLATES = sorted((ROOT / "adapters/web/templates").glob("*.html"))
SCRIPTS = sorted((ROOT / "adapters/web/static").glob("*.js"))
CATALOGUES = {"texts": "web", "labels": "labels", "console": "console"}
_EXPRESSION = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SAID_BY_TAG = re.compile(r"(?:title|aria-label|placeholder|alt)=\"([^\"]*)\"")
_NAMED_IN_TEMPLATE = re.compile(r"\b(\w+)\.([A-Za-z]\w*)")
_LITERAL = re.compile(r"[\"`]([^\"`\n]*)[\"`]")
_SENTENCE = re.compile(r"[A-Z][a-z]+ [a-z]+")
_COMMENT = re.compile(r"^\s*(?://|/?\*).*$", re.MULTILINE)


def _used_in_template(path: Path) -> Iterator[str]:
    for expression in _EXPRESSION.findall(path.read_text()):
        for module, name in _NAMED_IN_TEMPLATE.findall(expression):
            yield f"{CATALOGUES.get(module, module)}.{name}"


def test_no_text_stands_in_a_template() -> None:
    for path in TEMPLATES:
        text = _EXPRESSION.sub("", path.read_text())
        said = [*_SAID_BY_TAG.findall(text), _TAG.sub("\n", text)]
        assert not [each for each in said if _WORD.search(each)], path


def test_no_text_stands_in_a_script() -> None:
    for path in SCRIPTS:
        code = _COMMENT.sub("", path.read_text())
        assert not [t for t in _LITERAL.findall(code) if _SENTENCE.match(t)], path


def test_the_page_is_that_of_the_code() -> None:
    assert FILE.read_text() == page(), "run `make docs`"


@cache
def _texts(path: Path) -> list[tuple[int, str]]:
    """Return line and text of each string that has words, and that people may read."""
    return list(_read_texts(path))


#: Nodes that decide whether people read the texts in them.
_HOLDERS = (
    *(ast.mod, ast.stmt, ast.ExceptHandler, ast.match_case),
    *(ast.JoinedStr, ast.Compare, ast.Call),
)


def _read_texts(path: Path) -> Iterator[tuple[int, str]]:
    nodes = _nodes(path)
    holders = [node for node in nodes if isinstance(node, _HOLDERS)]
    skipped = {id(each) for node in holders for each in _not_for_people(node)}
    calls = [node for node in holders if isinstance(node, ast.Call)]
    shown = {id(each) for node in calls for each in _arguments(node, SHOWN_BY)}
    cells = {id(each) for node in holders for each in _cells(node)}
    if path.parts[0] == "storage":
        # Its tables are those of the database.
        cells.clear()
    for node in nodes:
        if not _is_text(node) or id(node) in skipped:
            continue
        text = _literal(node)
        if text in _COMMANDS or _SQL.search(text):
            continue
        is_label = id(node) in shown and not _NAME.match(text)
        if (is_label or id(node) in cells) and _WORD.search(text):
            yield getattr(node, "lineno", 0), text
        elif _WORDS.search(text) or _DATE.search(text):
            yield getattr(node, "lineno", 0), text.lstrip(" \n*_`-")


def _not_for_people(node: ast.AST) -> Iterator[ast.AST]:
    """Yield docstrings, the parts of f-strings, what is compared, and the arguments of
    calls that do not show them."""
    body = getattr(node, "body", None)
    if isinstance(body, list):
        yield from (each.value for each in body if isinstance(each, ast.Expr))
    if isinstance(node, ast.JoinedStr):
        yield from node.values
    if isinstance(node, ast.Compare | ast.Assert):
        yield from ast.walk(node)
    if isinstance(node, ast.Call):
        of = getattr(node.func, "value", None)
        if getattr(of, "id", "") == "log" or _called(node) in NOT_SHOWN_BY:
            yield from ast.walk(node)


def _arguments(node: ast.AST, names: Collection[str]) -> Iterator[ast.AST]:
    """Yield the texts that a call of one of `names` gets."""
    if _called(node) in names:
        assert isinstance(node, ast.Call)
        values = [*node.args, *(each.value for each in node.keywords)]
        yield from (value for value in values if _is_text(value))


def _cells(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the texts that become heads and cells of a table: arguments, and what a
    loop passes one after the other."""
    if _called(node) in TABLES:
        assert isinstance(node, ast.Call)
        yield from (value for value in node.args if _is_text(value))
    if isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
        calls = [each for each in ast.walk(node) if _called(each) in TABLES]
        yield from (value for value in ast.walk(node.iter) if calls and _is_text(value))


def _called(node: ast.AST) -> str:
    """Return the name of what a call calls; "" for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def _nodes(path: Path) -> Sequence[ast.AST]:
    return code.nodes(code.tree(ROOT / path))


def _is_text(node: ast.AST) -> bool:
    is_constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_constant or isinstance(node, ast.JoinedStr)


def _literal(node: ast.AST) -> str:
    """Return a string as it stands in the code, with "{}" for each value."""
    if isinstance(node, ast.JoinedStr):
        parts = (_literal(each) if _is_text(each) else "{}" for each in node.values)
        return "".join(parts)
    assert isinstance(node, ast.Constant)
    return str(node.value)


def _used(path: Path) -> Iterator[str]:
    """Yield "module.name" of each message that the module at `path` names."""
    nodes = _nodes(path)
    catalogues: dict[str, str] = {}
    for node in nodes:
        source = (isinstance(node, ast.ImportFrom) and node.module) or ""
        for alias in getattr(node, "names", ()) if source else ():
            if source == "bot.messages":
                catalogues[alias.asname or alias.name] = alias.name
            elif source.startswith("bot.messages."):
                yield f"{source.removeprefix('bot.messages.')}.{alias.name}"
    own = path.stem if path.parts[:2] == ("bot", "messages") else ""
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{catalogues.get(node.value.id, '')}.{node.attr}"
        elif own and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield f"{own}.{node.id}"
