"""The store in one database.

Rule: a method here only says which function of this package runs, and on which
connection. The function defines the effect, and `bot.ports` the contract.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bot.domain.budget import BudgetExceeded, BudgetLimits, Charge
from bot.domain.call_lease import CallLease
from bot.domain.message import Message, Verdict
from bot.domain.outage import Outage
from bot.domain.platform import Rate, WriteKind
from bot.domain.reply import PostedPart
from bot.domain.retention import DAY, Retention
from bot.domain.scope import EVERYWHERE, ThreadKey
from bot.domain.shard_range import ShardRange
from bot.domain.shared_rate import RateAsk, RateState
from bot.domain.turn import Turn
from bot.ports.inbox import Judge
from storage import (
    accounts,
    api_reading,
    api_tokens,
    channel_moves,
    conversation,
    decisions,
    dialect,
    earlier_turns,
    erasures,
    expiry,
    file_choices,
    files,
    gateways,
    holding,
    inbox,
    installations,
    late_writes,
    leases,
    ledger,
    mcp_tables,
    message_edits,
    names,
    notices,
    outages,
    posts,
    purge,
    readdressing,
    receipts,
    refusals,
    reports,
    search,
    search_index,
    settings,
    shared_turns,
    spending,
    summaries,
    supplements,
    thread_queries,
    thread_state,
    triage_cases,
    turn_reading,
    turns,
    uploads,
    waiting,
    waiting_signs,
    write_rates,
)
from storage.connection import Connection
from storage.methods import (
    Transaction,
    WriteTransaction,
    read,
    read_first,
    report,
    write,
    write_of_turn,
)
from storage.refreshes import Refresh, RefreshGroup


class DatabaseStore:
    """Implements `bot.ports.store.Store` and `bot.ports.processes.Gateways`. Created by
    `storage.opening`. `clock` returns the time in seconds since 1970."""

    def __init__(
        self,
        read: Transaction,
        write: WriteTransaction,
        report: Transaction | None = None,
        read_first: Transaction | None = None,
        *,
        clock: Callable[[], float],
        owner: str = "",
        shared: bool = False,
        tidy: Callable[[], None] | None = None,
    ) -> None:
        self._read = read
        #: For queries that may read whole tables, and for those that block a turn.
        self._report = report or read
        self._read_first = read_first or read
        self._write = write
        self._clock = clock
        #: The name of this process in the database; "" if it answers nothing.
        self.owner = owner
        #: Whether several processes may use the database at once.
        self.shared = shared
        #: Called after rows were deleted; may take a second.
        self._tidy = tidy
        self._refreshes = RefreshGroup(write, owner, clock)

    def _now(self, db: Connection) -> float:
        return dialect.now(db, self._clock)

    async def receive(
        self, message: Message, judge: Judge, *, held: bool = False
    ) -> Verdict:
        now = self._clock()
        # On an unshared database, a new thread belongs to this process at once.
        owner = "" if self.shared and not held else self.owner
        return await self._write(
            lambda db: inbox.receive(db, message, judge, now, owner)
        )

    async def give_thread(self, thread: ThreadKey, to: ThreadKey) -> None:
        await self._write(lambda db: holding.give_thread(db, thread, to, self.owner))

    async def readdress(self, message: Message, judge: Judge) -> Verdict:
        now = self._clock()
        return await self._write(
            lambda db: readdressing.readdress(db, message, judge, now)
        )

    decision = read(decisions.decision)
    stored_message = read(supplements.stored_message)
    supplement = write(supplements.supplement)
    edit_message = write(message_edits.edit_message)
    delete_messages = write(erasures.delete_messages)
    add_holder = write(erasures.add_holder)
    delete_scope = write(erasures.delete_scope)
    move_channel = write(channel_moves.move_channel)
    current_channel = read(channel_moves.current_channel)

    thread_state = read_first(thread_state.thread_state)
    backfill = write_of_turn(inbox.backfill, stores=True)
    # Covered by `reserve`, which runs before Claude is called.
    store_prompt = write_of_turn(turns.store_prompt, covered=True)
    conversation = read(conversation.conversation)
    question_times = read(earlier_turns.question_times)
    read_turns = read(summaries.read_turns)
    store_summary = write(summaries.store_summary)
    summary = read(summaries.summary)

    stored_files = read(files.stored_files)
    link_file = write(files.link_file)
    store_file = write(files.store_file)
    store_unread = write(files.store_unread)
    refuse_files = write(files.refuse_files)
    file_data = read(files.file_data)
    thread_files = read(file_choices.thread_files)
    decide_file = write(file_choices.decide_file)

    store_uploads = write_of_turn(uploads.store_uploads)
    forget_uploads = write_of_turn(uploads.forget_uploads)
    answered = read(earlier_turns.answered)

    async def take_turn(self, thread: ThreadKey) -> Turn | None:
        if not self.shared:
            # This process has the thread, unless an earlier process left the turn.
            turn = await self.next_turn(thread)
            if turn is None or turn.owner == self.owner:
                return turn
        return await self._write(lambda db: leases.take_turn(db, thread, self.owner))

    async def leave_thread(self, thread: ThreadKey) -> None:
        await self._write(lambda db: shared_turns.leave_thread(db, thread, self.owner))

    async def book_left_calls(self) -> None:
        """Book the open charges of processes that have ended."""
        now = self._clock()
        await self._write(lambda db: ledger.book_interrupted(db, now=now))

    running_turns = read(shared_turns.running_turns)
    waiting_threads_of = read(shared_turns.waiting_threads_of)
    ask_to_stop = write(shared_turns.ask_to_stop)
    processes = read(shared_turns.processes)

    async def open_charge(
        self, charge: Charge, caps: BudgetLimits, now: float
    ) -> int | BudgetExceeded:
        return await self._write(
            lambda db: ledger.open_charge(db, charge, caps, now, owner=self.owner)
        )

    async def take_slot(self, name: str, seconds: float) -> float:
        return await self._write(
            lambda db: gateways.take_slot(db, name, seconds, self._now(db))
        )

    async def lease_calls(
        self, name: str, want: int, each: float, burst: int
    ) -> CallLease:
        return await self._write(
            lambda db: gateways.lease_calls(db, name, want, each, burst, self._now(db))
        )

    async def claim_event(self, name: str) -> bool:
        def claim(db: Connection) -> bool:
            now = self._now(db)
            event = (EVERYWHERE, f"event {name}", self.owner)
            return notices.claim_notice(db, *event, now, now + DAY)

        return await self._write(claim)

    async def claim_shards(self, bot: str, shards: ShardRange) -> Sequence[ShardRange]:
        return await self._write(
            lambda db: gateways.claim_shards(db, bot, self.owner, shards, self._now(db))
        )

    async def note_outage(self, name: str, since: float) -> None:
        await self._write(lambda db: outages.note_outage(db, name, since, self.owner))

    async def take_outage(self, name: str) -> Outage | None:
        return await self._write(lambda db: outages.take_outage(db, name, self.owner))

    async def end_outage(self, outage: Outage) -> None:
        await self._write(lambda db: outages.end_outage(db, outage, self.owner))

    next_turn = read_first(turn_reading.find_next_turn)
    previous_turn = read(earlier_turns.previous_turn)
    repeated_turn = read(earlier_turns.repeated_turn)
    begin_turn = write_of_turn(turns.begin_turn, covered=True)

    async def store_part(
        self,
        turn: Turn,
        part: PostedPart | None,
        text: str,
        now: float,
        head: str = "",
        asks: Sequence[RateAsk] = (),
    ) -> Sequence[RateState]:
        if self.shared and part is None:
            return await self._refreshes.store(Refresh(turn, text, now, head, asks))
        return await self._write(
            lambda db: write_rates.store_part(
                *(db, turn, part, text, now, head),
                *(asks, self.owner, self._clock),
            ),
            # Recovery needs the intent. On a server, a later write may be lost alone.
            waits=part is not None and (self.shared or part.message is None),
        )

    async def ask_rates(self, asks: Sequence[RateAsk]) -> Sequence[RateState]:
        return await self._write(
            lambda db: write_rates.ask(db, asks, self.owner, self._clock)
        )

    async def close_rate(
        self, scope: str, kind: WriteKind, rate: Rate, seconds: float
    ) -> None:
        await self._write(
            lambda db: write_rates.close(db, scope, kind, rate, seconds, self._now(db))
        )

    forget_part = write_of_turn(turns.forget_part)
    known_messages = read(late_writes.known_messages)
    deliver_again = write(late_writes.deliver_again)
    finish_turn = write_of_turn(turns.finish_turn)
    mark_delivered = write_of_turn(turns.mark_delivered, stores=True)
    release_turn = write_of_turn(turns.release_turn)
    record_failure = write_of_turn(turns.record_failure)
    abandon_turn = write_of_turn(turns.abandon_turn)
    move_thread = write(message_edits.move_thread)

    askers = read(thread_queries.askers)
    turn_facts = read(thread_queries.turn_facts)
    reset_context = write(message_edits.reset_context)
    retry_turn = write(message_edits.retry_turn)

    open_threads = read(thread_queries.open_threads)
    waiting_threads = read(waiting.waiting_threads)
    list_threads = read(thread_queries.list_threads)
    newest_messages = read(thread_queries.newest_messages)
    said = read(thread_queries.said)
    transcript = read(thread_queries.transcript)
    record_feedback = write(turns.record_feedback)

    listings = read(mcp_tables.listings)
    pin_listing = write(mcp_tables.pin_listing)
    channels_with = read(search.channels_with)
    search = read(search.search)
    stored_settings = read(settings.stored_settings)
    version = read(settings.version)
    ensure_operator_version = write(settings.ensure_operator_version)
    record_refusal = write(refusals.record_refusal)
    # Covered in the same way as `store_prompt`.
    pin_settings = write(settings.pin_settings, covered=True)
    list_settings = read(settings.list_settings)
    change_settings = write(settings.change_settings)
    versions = read(settings.versions)
    audit = read(settings.audit)
    entries = read(settings.entries)
    refusals = read(refusals.refusals)
    save_draft = write(settings.save_draft)
    draft = read(settings.draft)

    receipt = read(receipts.receipt)
    answers = read(receipts.answers)
    turn_of_message = read(receipts.turn_of_message)

    put_post = write(posts.put_post)
    post = read(posts.post)
    posts_since = read(posts.posts_since)
    topics = read(posts.topics)
    delete_posts = write(posts.delete_posts)
    posted_file = read(posts.posted_file)
    posts = read(posts.posts)

    claim_notice = write(notices.claim_notice)
    claim_sign = write(waiting_signs.claim_sign)
    signs = read(waiting_signs.signs)
    past_signs = read(waiting_signs.past_signs)
    forget_sign = write(waiting_signs.forget_sign)
    unnamed = read(names.unnamed)
    store_names = write(names.store_names)
    drop_names = write(names.drop_names)
    names = read(names.names)
    reserve = write_of_turn(ledger.reserve)
    raise_reserve = write_of_turn(ledger.raise_reserve)
    close_charge = write(ledger.close_charge)
    balance = read(accounts.balance)
    alerts = write(ledger.alerts)
    past_calls = read(spending.past_calls)
    usage = report(spending.usage)
    spending = read(spending.spending)

    open_turns = report(reports.open_turns)
    call_sums = report(reports.call_sums)
    quality = report(reports.quality)
    answers_of = report(reports.answers_of)
    all_threads = report(reports.all_threads)
    thread_report = report(reports.thread_report)
    workspaces = report(reports.workspaces)
    record_look = write(reports.record_look)
    require_writable = write(reports.require_writable)

    store_state = write(installations.store_state)
    spend_state = write(installations.spend_state)
    store_installation = write(installations.store_installation)
    installation_of = read(installations.installation_of)
    store_workspace = write(installations.store_workspace)
    claim_refresh = write(installations.claim_refresh)
    replace_tokens = write(installations.replace_tokens)
    end_installation = write(installations.end_installation)
    installations = read(installations.installations)

    open_case = write(triage_cases.open_case)
    case = read(triage_cases.case)
    record_case_result = write(triage_cases.record_case_result)
    correct_case = write(triage_cases.correct_case)
    approve_example = write(triage_cases.approve_example)
    examples = read(triage_cases.examples)
    waiting_cases = read(triage_cases.waiting_cases)
    record_case_try = write(triage_cases.record_case_try)
    forget_case_try = write(triage_cases.forget_case_try)
    mark_case_shown = write(triage_cases.mark_case_shown)

    add_token = write(api_tokens.add_token)
    find_token = read(api_tokens.find_token)
    tokens = read(api_tokens.tokens)
    revoke_tokens = write(api_tokens.revoke_tokens)
    note_token_use = write(api_tokens.note_token_use)
    api_threads = read(api_reading.api_threads)
    api_thread = read(api_reading.api_thread)
    api_messages = read(api_reading.api_messages)
    answer_so_far = read(api_reading.answer_so_far)

    async def clean_up(self, retention: Retention, now: float) -> Mapping[str, int]:
        deleted = {}
        steps = {**expiry.steps(retention, now), **purge.steps(retention, now)}
        for name, step in steps.items():
            deleted[name] = 0
            while count := await self._write(step):
                deleted[name] += count
        deleted["threads"] = 0
        after: int | None = None if retention.threads is None else 0
        while after is not None:
            before, begin = now - (retention.threads or 0.0), after
            count, after = await self._write(
                partial(expiry.threads, before=before, after=begin)
            )
            deleted["threads"] += count
        while await self._write(search_index.fill):
            pass
        if self._tidy is not None:
            await asyncio.to_thread(self._tidy)
        return deleted
