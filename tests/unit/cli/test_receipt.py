"""`threadkeep receipt`, beside a process that has the database open."""

import json
from pathlib import Path

import pytest

from bot.cli.receipt import print_receipt
from bot.domain.completion import Usage
from bot.domain.scope import ScopeLevel
from bot.domain.setting import AppliedSetting
from bot.domain.turn import Ended, Outcome
from bot.errors import ConfigError
from storage.opening import open_store
from tests.support.store_helpers import HERE, ask, said


async def test_operators_see_a_receipt_and_words_only_if_they_want_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "threadkeep.db"
    env = {"THREADKEEP_DB": str(path), "ANTHROPIC_API_KEY": "sk-ant-x"}

    async def printed(turn: str, **wanted: bool) -> str:
        flags = [wanted.get(name, False) for name in ("as_json", "with_text", "ids")]
        assert await print_receipt(env, turn, *flags) == 0
        return capsys.readouterr().out

    async with open_store(path) as store:
        turn = await ask(store, said("1", at=1.0))
        outcome = Outcome(
            *(Ended.DONE, "Yes, apples."),
            model="claude-sonnet-5-5",
            request_id="req_7",
            usage=Usage(input=1_234, output=5),
            cost=0.5,
            applied=(AppliedSetting("model", "m", ScopeLevel.CHANNEL, "U1"),),
        )
        await store.finish_turn(turn, outcome, 20.0)
        text = await printed(turn.key)
        for words in ("req_7", str(HERE), "1 message", "1,234 tokens", "set by U1"):
            assert words in text, text
        found = json.loads(await printed(turn.key, as_json=True))
        assert (found["request"], found["read"]["messages"]) == ("req_7", 1)
        assert found["settings"][0]["level"] == "channel"
        assert found["times"]["begun"] == "1970-01-01T00:00:10+00:00"
        assert found["read"]["questions"][0]["message"] == "1"
        for each in (text, json.dumps(found)):
            assert "text of 1" not in each
            assert "apples" not in each
        found = json.loads(await printed(turn.key, as_json=True, with_text=True))
        assert (found["question"], found["answer"]) == ("text of 1", "Yes, apples.")
        assert "Yes, apples." in await printed(turn.key, with_text=True)
        [row] = json.loads(await printed(str(HERE), as_json=True))
        assert (row["turn"], row["ended"]) == (turn.key, "done")
        assert turn.key in await printed(str(HERE))
        with pytest.raises(ConfigError, match="no such turn"):
            await print_receipt(env, "nothing", *[False] * 3)
