"""Shows the receipt of an answer: the messages and settings it was made from, and its
cost.

Rule: only people who may read the thread now see the receipt, in private. It contains
no text that people wrote, and no text of a prompt.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from bot.commands.router import Handler
from bot.context import cache_misses
from bot.context.cache_misses import CacheMiss
from bot.context.files.unread import clause, quote
from bot.domain.person import Person
from bot.domain.receipt import MessageRef, ReadFile, ReadMessages, Receipt, TurnTimes
from bot.domain.reply import PRESSED
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.setting import AppliedSetting
from bot.errors import DeliveryError
from bot.messages import phrases, plurals
from bot.messages import receipts as messages
from bot.ports.platform import Adapter
from bot.ports.receipts import ReceiptStore
from bot.settings import describe
from bot.settings.access import SettingsAccess
from bot.settings.options import BY_NAME
from bot.text import message_links, references
from bot.text.numbers import approximate, number
from bot.ui import formatting
from bot.ui.elements import Command, Response, Section

# The highest number by which an answer can be counted back.
MOST_BACK = 1_000

# The most questions whose links are looked up: each look-up is an API call on some
# platforms.
MOST_LINKS = 3

_MISSES = {
    CacheMiss.MODEL: messages.MODEL_CHANGED,
    CacheMiss.PROMPT: messages.PROMPT_CHANGED,
    CacheMiss.EFFORT: messages.EFFORT_CHANGED,
    CacheMiss.WEB_SEARCH: messages.WEB_SEARCH_CHANGED,
    CacheMiss.WEB_FETCH: messages.WEB_FETCH_CHANGED,
    CacheMiss.TOOLS: messages.TOOLS_CHANGED,
    CacheMiss.SUMMARY: messages.SUMMARY_BEGAN,
    CacheMiss.DELETED: messages.SOME_DELETED,
    CacheMiss.CUT: messages.OTHERS_LEFT_OUT,
    CacheMiss.OFF: messages.NOT_ASKED_FOR,
    CacheMiss.FOUND: messages.NOT_KEPT,
    CacheMiss.ASKED: messages.ANSWERS_NOT_KEPT,
    CacheMiss.UNKNOWN: messages.NO_REASON,
}

# These settings are always shown; others only if somebody set them.
_ALWAYS = ("prompt", "model", "effort")


class ReceiptScreen:
    """Handlers of the commands that show receipts."""

    def __init__(
        self,
        store: ReceiptStore,
        access: SettingsAccess,
        adapters: Mapping[str, Adapter],
    ) -> None:
        self._store = store
        self._access = access
        self._adapters = adapters

    def handlers(self) -> Mapping[str, Handler]:
        return {"receipt": self.receipt, "receipt answer": self.of_control}

    async def receipt(self, command: Command, place: Scope, person: Person) -> Response:
        """Show the receipt of the thread's last answer, of an earlier one by number, or
        of the answer that a link points to."""
        given = command.arguments.get("answer")
        wanted = message_links.reference(given) if given else "1"
        if wanted is None:
            return Response(messages.NO_RECEIPT)
        back = number(wanted)
        if back is None or back > MOST_BACK:
            found = await self._store.turn_of_message(place, wanted)
            if found is None:
                return Response(messages.NO_RECEIPT)
            return await self._shown(*found, place, person)
        if not place.thread:
            return Response(messages.HERE_ONLY)
        await self._require_reader(person, place, place)
        answers = await self._store.answers(place.key, max(1, back))
        if len(answers) < max(1, back):
            return Response(messages.NO_RECEIPT)
        return await self._shown(place.key, answers[-1].turn, place, person)

    async def of_control(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        """Show the receipt of the answer that the control belongs to."""
        turn = command.arguments.get("turn", "")
        if not (place.thread and turn):
            return Response(messages.NO_RECEIPT)
        return await self._shown(place.key, turn, place, person)

    async def _shown(
        self, thread: ThreadKey, turn: str, here: Scope, person: Person
    ) -> Response:
        await self._require_reader(person, here, Scope.of(thread))
        receipt = await self._store.receipt(thread, turn)
        if receipt is None:
            return Response(messages.NO_RECEIPT)
        return page(receipt, await self._links(receipt))

    async def _require_reader(self, person: Person, here: Scope, thread: Scope) -> None:
        """Raise Denied unless `person` may read `thread` now. Raises DeliveryError if
        the platform cannot answer that."""
        access = await self._access.channel_access(thread, person.id)
        if not access.reads:
            home = here.at(ScopeLevel.WORKSPACE)
            # The same words as for a missing answer, so that nobody learns that there
            # is one.
            what, text = messages.SEE_RECEIPT, messages.NO_RECEIPT
            raise await self._access.deny(person, home, what, text)

    async def _links(self, receipt: Receipt) -> dict[str, str]:
        """Return the URLs of the messages in `receipt`, by message id, without those
        that the platform does not return now."""
        place = Scope.of(receipt.thread)
        messenger = self._adapters[place.platform].messenger
        read = receipt.read
        if messenger is None or read is None:
            return {}
        named = [*read.questions[-MOST_LINKS:], read.first, read.last]
        found: dict[str, str] = {}
        for each in named:
            if each is None or each.deleted or each.message.startswith(PRESSED):
                continue
            if each.message in found:
                continue
            try:
                found[each.message] = await messenger.link(place, each.message)
            except DeliveryError:
                break
        return found


def page(receipt: Receipt, links: Mapping[str, str]) -> Response:
    """Return `receipt` as people see it: the three important lines, then details.
    `links` maps message ids to URLs."""
    head = [
        messages.head(time=formatting.minute(receipt.times.asked)),
        messages.line(label=messages.READ, text=_read(receipt)),
        messages.line(label=messages.NOT_READ, text=_not_read(receipt)),
        messages.line(label=messages.COST, text=_cost(receipt)),
    ]
    details = [
        (messages.QUESTION, _questions(receipt.read, links)),
        (messages.MESSAGES, _span(receipt.read, links)),
        (messages.FILES, file_lines(receipt.read)),
        (messages.MCP_SERVERS, server_lines(receipt)),
        (messages.MADE_WITH, _origin_lines(receipt)),
        (messages.TIME, _times(receipt)),
    ]
    sections = tuple(
        Section(title, "\n".join(f"- {line}" for line in lines), apart=False)
        for title, found in details
        if (lines := list(found))
    )
    return Response("\n".join(head), sections=sections)


def _read(receipt: Receipt) -> str:
    read = receipt.read
    if read is None:
        return messages.NOT_STORED if receipt.model else messages.NOTHING_READ
    if receipt.ended is not None and not receipt.model:
        return messages.NOTHING_READ
    first, last = (
        formatting.minute(each.at) if each else "" for each in (read.first, read.last)
    )
    return messages.read(
        messages=read.messages, answers=read.answers, first=first, last=last
    )


def _not_read(receipt: Receipt) -> str:
    """Describe all parts of the thread that Claude did not read, with the reasons."""
    read = receipt.read
    if read is None:
        return messages.NOT_STORED if receipt.model else messages.NOTHING_READ
    unread = sum(not each.is_read for each in read.files) + read.more_files
    parts = [
        messages.SOME_MISSING if read.missing is None else "",
        messages.missing(about=approximate(read.missing)) if read.missing else "",
        messages.HISTORY_FAILED if read.history_failed else "",
        messages.deleted(count=read.deleted) if read.deleted else "",
        messages.before_reset(count=read.before_reset) if read.before_reset else "",
        messages.declined(count=read.declined) if read.declined else "",
        messages.later(count=read.later) if read.later else "",
        messages.files(count=unread) if unread else "",
        _describe_summary(read, receipt.model) if read.summarised else "",
        "" if read.is_complete or receipt.ended is None else messages.NOT_COMPLETE,
    ]
    found = [each for each in parts if each]
    return messages.joined(parts=found) if found else messages.NOTHING_LEFT_OUT


def _describe_summary(read: ReadMessages, model: str) -> str:
    """Describe the summary in `read`. Only the model that made a compaction reads it as
    such; another model reads its text."""
    if read.compacted_by == model:
        return messages.compacted(count=read.summarised)
    return messages.summarised(count=read.summarised)


def _cost(receipt: Receipt) -> str:
    if receipt.ended is None:
        return messages.IN_PROGRESS
    if receipt.model:
        return formatting.footer(
            receipt.model, receipt.usage, receipt.cost, bounded=receipt.bounded
        )
    if not receipt.cost:
        return messages.NOTHING_SPENT
    return formatting.amount(receipt.cost, bounded=receipt.bounded)


def _questions(read: ReadMessages | None, links: Mapping[str, str]) -> Iterator[str]:
    for each in read.questions if read else ():
        yield messages.message(
            who=formatting.person(each.author),
            time=formatting.minute(each.at),
            where=_where(each, links),
        )


def _span(read: ReadMessages | None, links: Mapping[str, str]) -> Iterator[str]:
    """Yield links to the first and last message, unless they are the question."""
    if read is None:
        return
    asked = {each.message for each in read.questions}
    for label, each in ((messages.FIRST, read.first), (messages.LAST, read.last)):
        if each is not None and each.message not in asked:
            where = _where(each, links) or formatting.minute(each.at)
            yield messages.at(label=label, where=where)


def _where(each: MessageRef, links: Mapping[str, str]) -> str:
    if each.deleted:
        return messages.DELETED_SINCE
    if each.message.startswith(PRESSED):
        return messages.FROM_A_BUTTON
    return references.link(links[each.message]) if each.message in links else ""


def file_lines(read: ReadMessages | None) -> Iterator[str]:
    """Yield a line for each file that people may have wanted Claude to read, with
    whether and how far it was read."""
    for each in read.files if read else ():
        yield file_line(each)
    if read and read.more_files:
        yield messages.more_files(count=read.more_files)


def file_line(file: ReadFile) -> str:
    """Describe a file, and whether and how far it was read."""
    size = "" if file.size is None else formatting.file_size(file.size)
    stored = file.stored
    if stored is None:
        what = messages.FILE_NAMED
    elif stored.unread is not None:
        what = messages.file_not_read(why=clause(stored.unread))
    elif stored.pages < stored.all_pages:
        what = messages.pages_read(count=stored.pages, of=stored.all_pages)
    else:
        what = messages.FILE_CUT if stored.cut else messages.FILE_READ
    return messages.file(name=quote(file.name), size=size, what=what)


def server_lines(receipt: Receipt) -> Iterator[str]:
    """Yield a line for each MCP tool that was called, and for each MCP server that
    could not be used."""
    counted = Counter(receipt.asked)
    for call, count in counted.items():
        said = messages.call_failed if call.failed else messages.call
        times = plurals.TIMES(count)
        yield said(server=call.server, tool=call.tool, times=times)
    for server in receipt.left_out:
        yield messages.server_left_out(server=server)


def _origin_lines(receipt: Receipt) -> Iterator[str]:
    applied = {each.name: each for each in receipt.applied}
    platform = receipt.thread.platform
    if receipt.prompt is not None:
        origin = receipt.prompt.who
        level = receipt.prompt.place.level
        yield messages.setting(
            label=BY_NAME["prompt"].label,
            value=describe.version_name(receipt.prompt),
            origin=_origin(AppliedSetting("prompt", "", level, origin), platform),
        )
    if receipt.model:
        yield _setting("model", receipt.model, applied.get("model"), platform)
    if receipt.effort:
        yield _setting("effort", receipt.effort, applied.get("effort"), platform)
    for name, each in applied.items():
        is_set = each.level is not ScopeLevel.OPERATOR or each.kept
        if name in BY_NAME and name not in _ALWAYS and is_set:
            shown = (
                describe.format_value(BY_NAME[name], each.value) if each.value else ""
            )
            yield _setting(name, shown or phrases.ITS_OWN, each, platform)
    usage = receipt.usage
    if receipt.model:
        yield messages.tokens(
            fresh=usage.input,
            written=usage.cache_write_5m + usage.cache_write_1h,
            cached=usage.cache_read,
            output=usage.output,
        )
        yield from _cache_miss_lines(receipt)
    if usage.searches:
        yield messages.searches(count=usage.searches)
    if usage.fetches:
        yield messages.fetches(count=usage.fetches)
    if receipt.held:
        yield messages.reserved(amount=formatting.exact_usd(receipt.held))


def _cache_miss_lines(receipt: Receipt) -> Iterator[str]:
    """Yield the reason why the prompt cache no longer held the prefix of the previous
    answer."""
    before, now = receipt.before, receipt.request
    if before is None or now is None or receipt.ended is None:
        return
    found = cache_misses.reason(before, now)
    if found is CacheMiss.PAUSE:
        hours, minutes = divmod(round((now.at - before.at) / 60), 60)
        why = messages.expired(hours=hours, minutes=minutes)
    elif found is not None:
        why = _MISSES[found]
    else:
        return
    yield messages.not_cached(count=cache_misses.missing(before, now), why=why)


def _setting(
    name: str, value: str, applied: AppliedSetting | None, platform: str
) -> str:
    origin = "" if applied is None else _origin(applied, platform)
    return messages.setting(label=BY_NAME[name].label, value=value, origin=origin)


def _origin(applied: AppliedSetting, platform: str) -> str:
    """Describe where a setting of this answer was set."""
    if applied.kept:
        return messages.KEPT
    if applied.level is ScopeLevel.OPERATOR:
        return "" if applied.name == "prompt" else messages.OWN_DEFAULT
    return messages.set_there(
        where=formatting.here(applied.level, platform),
        who=formatting.person(applied.who),
    )


def _times(receipt: Receipt) -> Iterator[str]:
    if said := steps(receipt.times):
        yield messages.in_row(parts=said)
    if receipt.attempts > 1:
        yield messages.attempts(count=receipt.attempts)


def steps(times: TurnTimes) -> list[str]:
    """Return how long each step of a turn took."""
    if times.begun is None:
        return []
    asked = times.reserved if times.reserved is not None else times.begun
    written = times.first_text if times.first_text is not None else asked
    spans = [
        (messages.waited, times.stored, times.begun),
        (messages.prepared, times.begun, times.reserved),
        (messages.first_text, asked, times.first_text),
        (messages.written, written, times.ended),
        (messages.shown, times.ended, times.delivered),
    ]
    return [
        said(seconds=messages.seconds(value=max(0.0, end - begin)))
        for said, begin, end in spans
        if begin is not None and end is not None
    ]
