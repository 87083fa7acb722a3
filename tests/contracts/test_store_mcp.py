"""The contract of stores: listings and calls of MCP servers."""

from dataclasses import replace

from bot.domain.mcp import Listing, ToolCall
from bot.domain.scope import ScopeLevel
from bot.domain.setting import AppliedSetting
from bot.domain.turn import Ended, Outcome
from bot.ports.store import Store
from tests.support.store_helpers import HERE, ask, exchange, said

OLD = Listing("wiki", "https://wiki.example/", '[{"name":"read"}]', 1.0)
NEW = Listing("wiki", "https://wiki.example/", '[{"name":"lies"}]', 2.0)
CALLS = (ToolCall("Wiki", "read"), ToolCall("Wiki", "read", failed=True))


async def test_the_last_listing_of_a_server_is_the_last_one(store: Store) -> None:
    assert await store.listings() == []
    await store.pin_listing(NEW)
    await store.pin_listing(OLD)
    assert await store.listings() == [OLD, NEW]
    # Taken over once more, it is the last one again, and there is one of it.
    await store.pin_listing(replace(OLD, at=3.0))
    assert [(each.tools, each.at) for each in await store.listings()] == [
        (NEW.tools, 2.0),
        (OLD.tools, 3.0),
    ]


async def test_a_receipt_has_what_was_asked(store: Store) -> None:
    turn = await ask(store, said("1"))
    outcome = Outcome(
        *(Ended.DONE, "Yes."),
        model="m",
        applied=(AppliedSetting("model", "m", ScopeLevel.CHANNEL, "U1"),),
        tools="wiki=1",
        asked=CALLS,
        left_out=("Linear",),
    )
    await store.finish_turn(turn, outcome, 20.0)
    found = await store.receipt(HERE, turn.key)
    assert found is not None
    assert (found.asked, found.left_out, found.tools) == (CALLS, ("Linear",), "wiki=1")
    assert found.before is None
    await store.mark_delivered(turn, 20.0)
    later = await exchange(store, said("2", at=2.0), "No.")
    found = await store.receipt(HERE, later.key)
    assert found is not None
    assert (found.asked, found.left_out, found.tools) == ((), (), "")
    assert found.before is not None
    assert (found.before.tools, found.before.asked) == ("wiki=1", 2)
