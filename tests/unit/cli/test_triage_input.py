"""The question which column holds the ticket, at a real terminal."""

import asyncio
import os
from pathlib import Path

from tests.support.seat import seated

TABLE = "id,problem,remark\n1,Login fails here,I cannot sign in\n2,Pay twice,No way\n"

#: What is typed, the exit status, and what is told.
ANSWERS = (
    ("2\r", 0, "Ticket remark (as you chose)"),
    ("problem, 2\r", 0, "Ticket problem, remark (as you chose)"),
    ("7\r", 2, "has no column `7`"),
    ("\r", 2, "No column was chosen, and nothing was sent."),
    ("\x03", 1, "Aborted!"),
)


async def test_an_unclear_column_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    env = {"PATH": os.environ["PATH"], "TERM": "xterm"}
    command = ("triage", "t.csv", "--dry-run")

    async def answer(keys: str, status: int, told: str) -> None:
        async with seated(command, env, tmp_path) as seat:
            await seat.sees(lambda text: "Enter stops:" in text)
            asked = " ".join(seat.text.split())
            assert "1 problem: Login fails here 2 remark: I cannot sign in" in asked
            seat.type(keys)
            await seat.sees(lambda text: told in " ".join(text.split()))
            assert await seat.process.wait() == status

    async with asyncio.TaskGroup() as tasks:
        for each in ANSWERS:
            tasks.create_task(answer(*each))
