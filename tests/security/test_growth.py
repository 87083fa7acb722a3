"""Every growing container is bounded, or this module states why it stays small."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from tests.support import code

pytestmark = code.WALKS

ROOT = Path(__file__).parent.parent.parent
CODE = ("bot", "adapters", "storage")

#: What makes a container that grows as it is used.
GROWS = {
    *("dict", "list", "set", "deque", "OrderedDict", "defaultdict", "Counter"),
    *("Queue", "SimpleQueue", "PriorityQueue", "LifoQueue", "bytearray"),
    *("WeakValueDictionary", "WeakKeyDictionary", "WeakSet", "ThreadPoolExecutor"),
}
#: What changes one.
CHANGES = {
    *("add", "append", "appendleft", "extend", "insert", "setdefault", "update"),
    *("put", "put_nowait", "__setitem__"),
}

ANSWER = "of one answer, gone with it; at most so many are written at once"
JOBS = "one for each thread that is drained, and the engine hands out only so many"
PLACES = "one for each answer that is written, and so many are written at once"
FIXED = "as many as the code or the configuration names"
RUN = "of one run of a command, gone with it"
FILE = "of one file, whose size is bounded, gone with it"
HELD = "a lock lives as long as somebody holds it or waits for it"

#: Why each container that an object keeps, and that is no LruDict, stays small.
REASONS = {
    "bot/context/files/word.py _Writer.lines": FILE,
    "bot/context/files/word.py _Writer._text": FILE,
    "bot/context/files/word.py _Writer._lists": FILE,
    "bot/context/files/word.py _Writer._rows": FILE,
    "bot/context/files/ole.py OleFile._entries": FILE,
    "bot/context/files/sheet_places.py _Places._open": FILE,
    "bot/context/files/open_sheets.py _Sheets._cells": FILE,
    "bot/context/files/open_sheets.py _Sheets._text": FILE,
    "bot/context/files/open_sheets.py _Sheets._found": FILE,
    "storage/passages.py Passages._kept": "at most MOST_BYTES together",
    "storage/passages.py Passage.entries": "of one thread, and all have MOST_BYTES",
    "storage/passages.py Passage.files": "of one thread, and all have MOST_BYTES",
    "storage/postgres/pool.py _Threads._threads": "its calls: MOST_WAITING",
    "storage/postgres/pool.py _Threads._open": "one for each thread of the pool",
    "adapters/web/live_answers.py LiveAnswers._live": (
        "one for each answer that a stream reads, and those are MOST_STREAMS"
    ),
    "bot/reports/usage.py _Sum.used": "one for each model and tariff of a report",
    "bot/reports/changes.py _Texts._known": "of one report, whose length is bounded",
    "bot/reports/monitor.py ProcessMonitor._settled": "one for each kind and model",
    "bot/reports/labels.py Labels._anywhere": RUN,
    "bot/reports/labels.py Labels._ids": RUN,
    "bot/reports/labels.py Labels._names": RUN,
    "bot/commands/answer_files.py AnswerFiles._running": "at most MOST_AT_ONCE",
    "bot/runtime/notices.py Notices._running": "at most as many as its maker says",
    "bot/delivery/stored_parts.py StoredParts._unstored": (
        "parts of one answer, whose length is bounded, gone with it"
    ),
    "bot/conversation/replies.py Replies.schedulers": "one for each platform",
    "bot/delivery/late_writes.py LateWrites._unsure": "the messages of one answer",
    "bot/delivery/reply_uploads.py ReplyUploads._batches": "the files of one answer",
    "bot/delivery/reply_uploads.py ReplyUploads._kept": "the files of one answer",
    "bot/rendering/file_blocks.py FileBlocks._found": "of one answer, which is bounded",
    "bot/rendering/growing_blocks.py CodeBlock._pieces": (
        "of one answer, which is bounded"
    ),
    "bot/rendering/growing_blocks.py CodeBlock._held": "at most MOST_HELD lines",
    "bot/rendering/growing_blocks.py TableBlock._rows": (
        "of one answer, which is bounded"
    ),
    "bot/rendering/growing_blocks.py TableBlock._held": "at most MOST_HELD rows",
    "adapters/web/threads.py Threads._readers": "at most MOST_READERS",
    "adapters/web/threads.py Reader._waiting": "at most MOST, or it ends",
    "adapters/web/events.py Page._sent": "the posts of one thread, at most MOST_POSTS",
    "adapters/web/form_data.py FormData.files": "at most MOST_FILES",
    "adapters/web/form_data.py FormData.values": "at most MOST_PARTS",
    "adapters/web/actions.py Actions._catalog": FIXED,
    "adapters/web/markdown.py GrowingBlocks._blocks": "of one text, which is bounded",
    "adapters/web/surface.py WebSurface._ids": "one for each message of an answer",
    "bot/cli/variables.py _Recording.asked": "one for each variable of ours",
    "bot/mcp_listings.py McpListings._left": FIXED,
    "adapters/discord/interactions.py Interactions._catalog": FIXED,
    "bot/commands/search.py _Readable._known": "of one search, which is bounded",
    "bot/platforms.py Platforms.adapters": FIXED,
    "adapters/discord/rest_guilds.py RestGuilds._reading": HELD,
    "adapters/discord/client.py Gateway._begun": "one for each shard",
    "adapters/discord/gateway.py SessionTurns._next": "one for each key of Discord's",
    "bot/vitals/connections.py Connections._states": "one for each platform",
    "bot/vitals/connections.py Connections._echoes": "at most MOST_ECHOES",
    "bot/vitals/connections.py _State.open": "as many as the platform has shards",
    "bot/vitals/connections.py _State.known": "as many as the platform has shards",
    "bot/vitals/probes.py Probes._probers": FIXED,
    "bot/vitals/process.py ProcessVitals._ends": "one for each platform",
    "bot/vitals/process.py ProcessVitals._first_words": "one for each platform",
    "bot/vitals/log_counts.py _Count.minutes": "one for each minute of an hour",
    "bot/vitals/loop_lag.py LoopLag._lags": "at most KEPT",
    "bot/delivery/write_scheduler.py WriteScheduler.results": (
        "one for each kind of write and result"
    ),
    "bot/platforms.py Platforms._errors": "one for each platform",
    "storage/encryption.py KeyRing._ciphers": "at most MOST_KEYS of the operator",
    "bot/platforms.py Platforms._suspended": (
        "workspaces that the app was installed in, as many as the store lists"
    ),
    "bot/settings/access.py SettingsAccess._defaults": FIXED,
    "bot/runtime/background.py Background._left": "one for each platform",
    "bot/conversation/summariser.py Summariser._running": (
        "at most MOST_AT_ONCE, until they end"
    ),
    "bot/runtime/background.py Background._running": (
        "the work of owners that are bounded"
    ),
    "bot/runtime/fair_queue.py FairQueue._entries": "at most `most`",
    "bot/runtime/fair_queue.py FairQueue._lines": (
        "each holds an entry, and those are `most`"
    ),
    "bot/runtime/fair_queue.py FairQueue._order": "at most twice as many as lines",
    "bot/runtime/fair_queue.py _OwnerQueue.entries": "at most `most` in all lines",
    "bot/rendering/fallbacks.py Dialect._links": "at most MOST_LINKS",
    "adapters/slack/http_events.py HttpEvents._late": (
        "at most MOST_EVENTS, as the intake takes no more"
    ),
    "adapters/slack/refusal_log.py RefusalLog._refused": "one for each reason",
    "adapters/slack/catching_up.py _WorkspaceReader._known": "the threads of a day",
    "adapters/slack/catching_up.py _WorkspaceReader._since": "their channels",
    "adapters/slack/catching_up.py _WorkspaceReader._waiting": (
        "the threads of a day in one workspace, and MOST for each read"
    ),
    "adapters/slack/late_threads.py LateThreads._waiting": (
        "workspaces with some of at most MOST threads"
    ),
    "adapters/slack/sockets.py Sockets._open_now": "at most MOST_CONNECTIONS",
    "adapters/slack/sockets.py Sockets._sockets": "at most MOST_CONNECTIONS",
    "adapters/slack/task_cards.py TaskCards.waiting": ANSWER,
    "bot/rendering/html_tags.py Tags._open": "of one line of an answer",
    "bot/rendering/inline.py _CodeEnds._starts": ANSWER,
    "bot/rendering/inline.py _Reader._ends": ANSWER,
    "bot/conversation/stop_signal.py StopSignal.notified": (
        "the people of one thread, cleared with each turn"
    ),
    "bot/conversation/dispatcher.py ThreadDispatcher._active": PLACES,
    "bot/conversation/dispatcher.py ThreadDispatcher._idle": JOBS,
    "bot/conversation/drains.py Drains._here": JOBS,
    "bot/conversation/drains.py Drains._draining": JOBS,
    "storage/engine/reaper.py Reaper._unlocked": "one for each process",
    "storage/engine/worker.py JobRunner._queues": "at most one for each queue",
    "bot/conversation/slots.py Slots._taken": "one for each platform",
    "bot/conversation/slots.py Slots._taken_in": "one for each running turn",
    "bot/runtime/lru.py LruDict._entries": "at most `most`",
    "bot/runtime/shares.py Shares._waiting": PLACES,
    "bot/delivery/write_scheduler.py WriteScheduler._waiting": PLACES,
    "bot/delivery/agenda.py Group.budgets": (
        "emptied when idle: a channel that is written to"
    ),
    "bot/delivery/agenda.py Agenda._entries": "outdated ones go at twice the others",
    "bot/delivery/pending_writes.py PendingWrites._groups": (
        "each grant forgets one whose budgets are full"
    ),
    "bot/delivery/pending_writes.py PendingWrites.placed": PLACES,
    "bot/delivery/pending_writes.py PendingWrites.standings": PLACES,
    "bot/delivery/pending_writes.py PendingWrites._of_all": FIXED,
    "bot/delivery/stream_choice.py StreamChoice._crowds": "emptied at each round",
    "bot/delivery/bucket.py SlidingBucket.granted": "has a `maxlen`",
    "bot/delivery/rate_budget.py RateBudget.awaited": PLACES,
    "bot/delivery/rate_budget.py RateBudget.buckets": FIXED,
    "bot/delivery/rate_budget.py RateBudget.replies": PLACES,
    "bot/delivery/rate_budget.py RateBudget.requests": PLACES,
    "bot/delivery/rate_budget.py RateBudget.streaming": PLACES,
    "bot/delivery/standing.py Standing.budgets": FIXED,
    "bot/delivery/standing.py Standing.spent": FIXED,
    "bot/rendering/prose.py Prose._links": "those of Dialect",
    "bot/rendering/renderer.py Renderer._final": ANSWER,
    "bot/delivery/reply.py StreamedReply._edited": ANSWER,
    "bot/delivery/reply.py StreamedReply.messages": ANSWER,
    "bot/delivery/reply.py StreamedReply._shared": ANSWER,
    "bot/delivery/reply.py StreamedReply._shared_at": ANSWER,
    "bot/delivery/reply.py StreamedReply._shown": ANSWER,
    "bot/conversation/waiting_signs.py WaitingSigns._locks": (
        "weak: those that a running task holds, one for each thread"
    ),
    "bot/claude/attempt.py _Round.places": "the files of one request",
    "bot/claude/body.py Body._parts": "fewer with each file that is sent",
    "bot/claude/sse.py EventReader._data": "at most LONGEST_EVENT",
    "bot/claude/sse.py EventReader._rest": "at most LONGEST_EVENT",
    "bot/claude/stream.py Block.deltas": ANSWER,
    "bot/claude/stream.py StreamedMessage.content": ANSWER,
    "bot/claude/web_search.py Rounds.calls": ANSWER,
    "bot/claude/web_search.py Rounds.messages": ANSWER,
    "bot/claude/citations.py Sources._listed": ANSWER,
    "bot/claude/citations.py Sources._numbers": ANSWER,
    "bot/claude/citations.py Sources._pages": ANSWER,
    "bot/claude/stream.py Block.cited": ANSWER,
    "bot/claude/stream.py StreamedMessage._calls": ANSWER,
    "bot/claude/stream.py StreamedMessage.listings": ANSWER,
    "bot/rendering/splitter.py Page._lines": ANSWER,
    "bot/rendering/tables.py Table._blank": ANSWER,
    "bot/rendering/tables.py Table._rows": ANSWER,
    "bot/rendering/tables.py Table._sides": ANSWER,
    "bot/rendering/tables.py Table._titles": ANSWER,
    "bot/triage/chat/auto.py AutoTriage._going_on": (
        "at most AT_ONCE, and one that fetches more"
    ),
    "bot/triage/chat/auto.py AutoTriage._under_way": "at most AT_ONCE",
    "bot/triage/bulk/batches.py BatchClassifier._tried": RUN,
    "bot/triage/evaluation/metrics.py MetricsBuilder._groups": RUN,
    "bot/runtime/encodings.py Places.lines": "at most MOST_PLACES",
    "bot/triage/bulk/progress.py Screen._seen": RUN,
    "bot/triage/bulk/tables.py _Lines.record": "one record, of at most MOST_LINE",
    "bot/triage/bulk/throttle.py Throttle._waiting": RUN,
    "adapters/discord/backlog.py Backlog._held": "at most what each kind may hold",
    "adapters/discord/name_cache.py NameCache._asking": HELD,
    "adapters/discord/threads.py ThreadResolver._making": HELD,
    "adapters/discord/servers.py Servers._ignored": "one for each server we are in",
    "adapters/discord/surface.py DiscordSurface._blocked": ANSWER,
    "adapters/discord/surface.py DiscordSurface._doubted": ANSWER,
    "adapters/discord/surface.py DiscordSurface._former": ANSWER,
    "adapters/discord/surface.py DiscordSurface._ids": ANSWER,
    "adapters/discord/surface.py DiscordSurface._unsure": ANSWER,
    "adapters/discord/global_rate_limit.py GlobalRateLimiter._sent": "has a `maxlen`",
    "adapters/discord/global_rate_limit.py GlobalRateLimiter._patient": (
        "calls under way, each of something that is bounded itself"
    ),
    "adapters/discord/global_rate_limit.py GlobalRateLimiter._waiting": (
        "calls under way, each of something that is bounded itself"
    ),
    "adapters/slack/intake.py Intake._going_on": (
        "beyond MOST_EVENTS nothing is taken in"
    ),
    "adapters/slack/members.py People._asking": (
        "calls under way, each for a command or turn that is bounded itself"
    ),
    "adapters/slack/name_cache.py NameCache._asking": HELD,
    "adapters/slack/newest.py _Search.end": "of one thread that is read; a few pages",
    "adapters/slack/streamed_messages.py StreamedMessages._open": ANSWER,
    "adapters/slack/surface.py SlackSurface._begun": ANSWER,
    "adapters/slack/surface.py SlackSurface._ts": ANSWER,
    "adapters/slack/surface.py SlackSurface._former": ANSWER,
    "adapters/slack/surface.py SlackSurface._unsure": ANSWER,
    "bot/rendering/numbering.py Numbering._lists": "at most _DEPTH lists are open",
    "adapters/terminal/adapter.py TerminalAdapter._listed": "what one command listed",
    "storage/refreshes.py RefreshGroup._waiting": "one for each answer in progress",
    "storage/export.py _Columns._names": "of one table, gone with it",
    "storage/export.py _Columns._taken": "of one table, gone with it",
    "storage/postgres/connection.py _PendingResult._rows": "of one result",
    "storage/postgres/pipeline.py Pipeline._names": "at most MOST_PREPARED",
    "storage/postgres/pipeline.py Pipeline._pending": "at most MOST_PENDING",
    "storage/postgres/pipeline.py Pipeline._uses": "at most MOST_PREPARED",
    "storage/reader.py Reader._thread": "at most MOST_WAITING by its allowance",
    "storage/writer.py Writer._queue": "at most MOST_WAITING by its allowance",
}


def test_every_container_is_bounded_or_has_a_reason() -> None:
    found = set(containers())
    assert found - REASONS.keys() == set(), (
        "make it a bot.runtime.lru.LruDict, or say in REASONS why it stays small"
    )
    assert REASONS.keys() - found == set(), "is no more, or is bounded by now"


def test_a_module_changes_nothing_that_it_keeps() -> None:
    for path, tree in modules():
        kept = {
            name.id
            for node in tree.body
            for name, value in assigned(node)
            if isinstance(name, ast.Name) and makes(value) in GROWS
        }
        if not kept:
            continue
        changed = {name for node in code.nodes(tree) if (name := changes(node)) in kept}
        assert changed == set(), f"{path}: grows for as long as the process runs"


def test_every_cache_of_a_function_has_a_size() -> None:
    for path, tree in modules():
        defined: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = [
            *code.of_kind(tree, ast.FunctionDef),
            *code.of_kind(tree, ast.AsyncFunctionDef),
            *code.of_kind(tree, ast.ClassDef),
        ]
        for node in defined:
            for decorator in node.decorator_list:
                text = ast.unparse(decorator)
                where = f"{path} {node.name}"
                assert not text.endswith("lru_cache"), f"{where}: say `maxsize`"
                assert "maxsize=None" not in text, where
                # Of a function without arguments it holds one value.
                if text.split(".")[-1] == "cache":
                    assert isinstance(node, ast.FunctionDef), where
                    assert not ast.unparse(node.args), where


@cache
def modules() -> list[tuple[Path, ast.Module]]:
    """Return the path and the syntax tree of every module of the product."""
    paths = sorted(path for each in CODE for path in (ROOT / each).rglob("*.py"))
    return [(p.relative_to(ROOT), code.tree(p)) for p in paths]


def containers() -> Iterator[str]:
    """Name every container that an object makes and keeps; values do not grow."""
    for path, tree in modules():
        for kept in code.of_kind(tree, ast.ClassDef):
            if is_value(kept):
                continue
            for node in assignments(tree):
                if not kept.lineno <= node.lineno <= (kept.end_lineno or 0):
                    continue
                for name, value in assigned(node):
                    if makes(value) not in GROWS:
                        continue
                    if isinstance(name, ast.Attribute) and is_self(name.value):
                        yield f"{path} {kept.name}.{name.attr}"
                    elif isinstance(name, ast.Name) and node in kept.body:
                        yield f"{path} {kept.name}.{name.id}"


@cache
def assignments(tree: ast.Module) -> Sequence[ast.stmt]:
    return [*code.of_kind(tree, ast.Assign), *code.of_kind(tree, ast.AnnAssign)]


def is_value(kept: ast.ClassDef) -> bool:
    return any("frozen=True" in ast.unparse(each) for each in kept.decorator_list)


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def assigned(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each assignment in `node`: its target and its value."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            pairs = zip(parts(target), parts(node.value), strict=False)
            yield from (
                pairs if isinstance(target, ast.Tuple) else [(target, node.value)]
            )
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value


def parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def makes(value: ast.expr) -> str:
    """Return the kind of container that `value` makes; "" for something else."""
    match value:
        case ast.Dict() | ast.DictComp():
            return "dict"
        case ast.List() | ast.ListComp():
            return "list"
        case ast.Set() | ast.SetComp():
            return "set"
        case ast.IfExp():
            return makes(value.body) or makes(value.orelse)
        case ast.BoolOp():
            return next(filter(None, map(makes, value.values)), "")
        case ast.Call():
            return called(value)
    return ""


def called(value: ast.Call) -> str:
    if named(value.func) != "field":
        return named(value.func)
    for keyword in value.keywords:
        if keyword.arg == "default_factory":
            factory = keyword.value
            if isinstance(factory, ast.Lambda):
                return makes(factory.body)
            return named(factory)
    return ""


def named(node: ast.expr) -> str:
    match node:
        case ast.Subscript():
            return named(node.value)
        case ast.Attribute():
            return node.attr
        case ast.Name():
            return node.id
    return ""


def changes(node: ast.AST) -> str:
    """Return the name of what `node` changes; "" if it changes nothing that has one."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)):
            return name if attr in CHANGES else ""
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
            return name
        case ast.AugAssign(target=ast.Name(id=name)):
            return name
    return ""
