"""The clients in docs/api.md read answers, and resume after a crash of the server."""

import asyncio
import json
import re
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.api_token import TokenScope
from storage.opening import open_store
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Hold, Pause
from tests.support.ports import free_port, until_listening
from tests.support.process import ROOT, Nursery, Process, claude_env
from tests.support.web_server import WebServer

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCS = (ROOT / "docs" / "api.md").read_text()
_BLOCK = re.compile(
    r"^```(js|python|sh) (five|whole)\n(.*?)^```$", re.DOTALL | re.MULTILINE
)
BLOCKS = {(name, kind): code for name, kind, code in _BLOCK.findall(DOCS)}

ANSWER = "Because air scatters \u201cblue\u201d light \U0001f30c more than red."

# What stands around the lines of the docs: the values that they name, and output.
JS = """
const [url, token, message] = process.argv.slice(2);
const headers = {{ "Content-Type": "application/json" }};
headers.Authorization = `Bearer ${{token}}`;
{code}
process.stdout.write(text);
"""
PYTHON = """
import json, sys
from urllib.request import Request, urlopen
url, token, message = sys.argv[1:]
headers = {{"Authorization": f"Bearer {{token}}", "Content-Type": "application/json"}}
{code}
sys.stdout.buffer.write(text.encode())
"""
JS_WHOLE = """
{code}
const [url, token, message] = process.argv.slice(2);
const {{ text, ended }} = await ask(url, token, message, () => {{}});
process.stdout.write(JSON.stringify([text, ended]));
"""
PYTHON_WHOLE = """
{code}
import sys
print(json.dumps(ask(*sys.argv[1:])))
"""
FRAMES = {
    ("js", "five"): JS,
    ("python", "five"): PYTHON,
    ("js", "whole"): JS_WHOLE,
    ("python", "whole"): PYTHON_WHOLE,
}
PROGRAMS = {"js": "node", "python": sys.executable}


async def run(
    tmp_path: Path, name: str, kind: str, url: str, token: str
) -> asyncio.subprocess.Process:
    """Start a client of the docs."""
    code = BLOCKS[name, kind]
    message = "Why is the sky blue?"
    if name == "sh":
        for tool in ("curl", "jq"):
            if shutil.which(tool) is None:
                pytest.skip(f"NOT TESTED: {tool} is not installed")
        command = ["sh", "-c", f"url=$1 token=$2 message=$3\n{code}", "sh"]
    else:
        program = PROGRAMS[name]
        if shutil.which(program) is None:
            pytest.skip(f"NOT TESTED: {program} is not installed")
        file = tmp_path / f"client.{'mjs' if name == 'js' else 'py'}"
        file.write_text(FRAMES[name, kind].format(code=code))
        command = [program, str(file)]
    return await asyncio.create_subprocess_exec(
        *command, url, token, message, stdout=asyncio.subprocess.PIPE
    )


async def test_the_docs_have_a_client_of_five_lines_in_each_language() -> None:
    for name in ("js", "python", "sh"):
        assert len(BLOCKS[name, "five"].splitlines()) <= 5


@pytest_asyncio.fixture(loop_scope="module")
async def claude() -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator(tokens_per_second=200) as emulator:
        yield emulator


class Served:
    """`threadkeep serve` as a process, with a token."""

    def __init__(
        self, tmp_path: Path, claude: ClaudeEmulator, nursery: Nursery
    ) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        env = {"THREADKEEP_WEB": self.address, "THREADKEEP_GRACE": "1"}
        env |= claude_env(claude)
        self.process = Process(tmp_path, env)
        self._nursery = nursery
        self.token = ""

    async def start(self) -> None:
        """Start the process; make a token before the first time."""
        if not self.token:
            async with open_store(self.process.database) as store:
                maker = WebServer(store)
                self.token = await maker.token("site", TokenScope.CHAT)
        await self.process.start(nursery=self._nursery)

    async def listens(self) -> None:
        """Wait until it answers."""
        await until_listening(self.address)


async def until_stored(served: Served, query: str, *expected: object) -> None:
    """Wait until `query` finds the row `expected` in the database."""
    async with asyncio.timeout(60):
        while True:
            with closing(sqlite3.connect(served.process.database)) as db:
                found = db.execute(query).fetchone()
            if found == expected:
                return
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture(loop_scope="module")
async def served(
    tmp_path: Path, claude: ClaudeEmulator, nursery: Nursery
) -> AsyncIterator[Served]:
    served = Served(tmp_path, claude, nursery)
    await served.start()
    await served.listens()
    yield served
    served.process.kill()
    await served.process.ended()


@pytest.mark.parametrize("name", ["js", "python", "sh"])
async def test_five_lines_read_an_answer(
    served: Served, claude: ClaudeEmulator, tmp_path: Path, name: str
) -> None:
    claude.script(ANSWER)
    client = await run(tmp_path, name, "five", f"http://{served.address}", served.token)
    printed, _ = await client.communicate()
    assert printed.decode() == ANSWER


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("js", signal.SIGKILL),
        ("python", signal.SIGKILL),
        # Told to stop, it ends its streams without an end, and hands the answer over.
        ("python", signal.SIGTERM),
    ],
)
async def test_a_client_goes_on_when_the_server_was_killed(
    served: Served,
    claude: ClaudeEmulator,
    tmp_path: Path,
    name: str,
    how: signal.Signals,
) -> None:
    # The first attempt is killed behind half of the answer; the second differs.
    half = "Because the air scatters"
    claude.script([half, Hold(asyncio.Event())], [Pause(0.2), ANSWER])
    client = await run(
        tmp_path, name, "whole", f"http://{served.address}", served.token
    )
    await claude.until(lambda: bool(claude.sent), timeout=60)
    await until_stored(served, "SELECT text FROM turns", half)
    served.process.kill(how)
    await served.process.ended()
    await served.start()
    printed, _ = await client.communicate()
    assert json.loads(printed) == [ANSWER, "done"]
    assert len(claude.sent) == 2
    # One message and one answer, whatever was sent how often.
    turns = "SELECT count(*), min(state), min(attempts) FROM turns"
    await until_stored(served, turns, 1, "delivered", 2)
    await until_stored(served, "SELECT count(*) FROM messages", 2)


@pytest.mark.parametrize("name", ["js", "python"])
async def test_a_client_waits_for_a_server_that_is_stopped(
    served: Served, claude: ClaudeEmulator, tmp_path: Path, name: str
) -> None:
    served.process.kill()
    await served.process.ended()
    claude.script(ANSWER)
    client = await run(
        tmp_path, name, "whole", f"http://{served.address}", served.token
    )
    await served.start()
    printed, _ = await client.communicate()
    assert json.loads(printed) == [ANSWER, "done"]
    assert len(claude.sent) == 1
