"""The clients in docs/api.md read answers, and resume after a crash of the server."""

import asyncio
import contextlib
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
from tests.emulators.claude.reply import Hold, Pause, Step
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


class Served:
    """`threadkeep serve` as a process, with a token."""

    def __init__(self, folder: Path, claude: ClaudeEmulator, nursery: Nursery) -> None:
        self.claude = claude
        self.address = f"127.0.0.1:{free_port()}"
        env = {"THREADKEEP_WEB": self.address, "THREADKEEP_GRACE": "1"}
        env |= claude_env(claude)
        self.process = Process(folder, env)
        self._nursery = nursery
        self.token = ""

    async def make_token(self) -> None:
        """Make a token, while the process does not run."""
        async with open_store(self.process.database) as store:
            maker = WebServer(store)
            self.token = await maker.token("site", TokenScope.CHAT)

    async def start(self) -> None:
        """Start the process."""
        await self.process.start(nursery=self._nursery)

    async def client(
        self, folder: Path, name: str, kind: str
    ) -> asyncio.subprocess.Process:
        """Start a client of the docs."""
        return await run(folder, name, kind, f"http://{self.address}", self.token)

    async def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill the process or, with another signal, tell it to end."""
        self.process.kill(number)
        await self.process.ended()


async def until_stored(served: Served, query: str, *expected: object) -> None:
    """Wait until `query` finds the row `expected` in the database."""
    async with asyncio.timeout(60):
        while True:
            with closing(sqlite3.connect(served.process.database)) as db:
                found = db.execute(query).fetchone()
            if found == expected:
                return
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def serving(folder: Path, nursery: Nursery) -> AsyncIterator[Served]:
    """A server that is not started yet, and ends with the block."""
    async with ClaudeEmulator(tokens_per_second=200) as claude:
        served = Served(folder, claude, nursery)
        await served.make_token()
        yield served
        await served.end()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def served(
    tmp_path_factory: pytest.TempPathFactory, nursery: Nursery
) -> AsyncIterator[Served]:
    """A server of all tests, which only ask it."""
    async with serving(tmp_path_factory.mktemp("served"), nursery) as served:
        await served.start()
        await until_listening(served.address)
        yield served


@pytest.mark.parametrize("name", ["js", "python", "sh"])
async def test_five_lines_read_an_answer(
    served: Served, tmp_path: Path, name: str
) -> None:
    served.claude.script(ANSWER)
    client = await served.client(tmp_path, name, "five")
    printed, _ = await client.communicate()
    assert printed.decode() == ANSWER


async def test_a_client_goes_on_when_the_server_is_stopped_killed_and_told_to_stop(
    tmp_path: Path, nursery: Nursery
) -> None:
    half = "Because the air scatters"
    # Each attempt ends behind half of the answer, but for the last, which differs.
    begun: list[Step] = [half, Hold(asyncio.Event())]
    whole: list[Step] = [Pause(0.2), ANSWER]
    async with serving(tmp_path, nursery) as served:
        claude = served.claude
        # Nobody listens yet.
        clients = [await served.client(tmp_path, name, "whole") for name in PROGRAMS]
        count = len(clients)
        claude.script(*[begun] * (2 * count), *[whole] * count)
        await served.start()
        # Told to stop, it ends its streams without an end, and hands the answers over.
        halves = f"SELECT count(*) FROM turns WHERE text = '{half}'"
        for attempt, number in enumerate((signal.SIGKILL, signal.SIGTERM), start=1):
            await claude.until(
                lambda n=attempt * count: len(claude.sent) == n,  # type: ignore[misc]
                timeout=60,
            )
            await until_stored(served, halves, count)
            await served.end(number)
            await served.start()
        for client in clients:
            printed, _ = await client.communicate()
            assert json.loads(printed) == [ANSWER, "done"]
        assert len(claude.sent) == 3 * count
        # One message and one answer of each, whatever was sent how often.
        turns = "SELECT count(*), min(state), min(attempts) FROM turns"
        await until_stored(served, turns, count, "delivered", 3)
        await until_stored(served, "SELECT count(*) FROM messages", 2 * count)
