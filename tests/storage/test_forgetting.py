"""Everything that one person wrote is deleted on request, wherever it is stored."""

from dataclasses import replace
from pathlib import Path

from bot.domain.answer_options import AnswerOptions
from bot.domain.post import Post
from bot.domain.scope import Scope
from bot.domain.setting import Draft
from bot.domain.triage_case import TriageCase
from storage.opening import forget_person, open_store
from tests.support.store_helpers import exchange, of_sqlite, said

TEAM = Scope("slack", "T1")
CHANNEL = Scope("slack", "T1", "C1")


async def test_nothing_of_a_person_is_left_and_all_of_the_others_is(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.db"
    async with open_store(path) as store:
        await exchange(store, said("1", text="EVE SAYS", author="U1"), "An answer.")
        asks = AnswerOptions(
            system="EVE SAYS to be brief", stop_sequences=("EVE SAYS",)
        )
        asked = replace(said("5", text="EVE SAYS", author="U1"), options=asks)
        await exchange(store, asked, "One more.")
        await exchange(store, said("2", text="BOB SAYS", author="U2"), "Another.")
        for number, author in ((3, "U1"), (4, "U2")):
            text = f"{'EVE' if author == 'U1' else 'BOB'} SAYS {number}"
            case = TriageCase(0, CHANNEL, f"m{number}", 3.0, author, text)
            await store.open_case(case)
            await store.save_draft(Draft(0, CHANNEL, "prompt", text, author, 3.0))
            # On a platform without a server of its own, what people see is here, too.
            shown = Post(
                replace(CHANNEL, thread="7").key, f"p{number}", 3.0, author, text
            )
            await store.put_post(shown, {f"f{number}": text.encode()})
        # Beside the process that has the database.
        assert await forget_person(path, TEAM, "U1") == 3
        assert await forget_person(path, TEAM, "U1") == 0
        assert await forget_person(path, Scope("slack", "T2"), "U2") == 0
        assert await store.posted_file(TEAM, "f3") is None
        assert await store.posted_file(TEAM, "f4") is not None
        rows = await store._read(lambda db: list(of_sqlite(db).conn.iterdump()))
    left = "\n".join(rows)
    assert "EVE SAYS" not in left
    assert left.count("BOB SAYS") >= 3
    assert "An answer." in left
