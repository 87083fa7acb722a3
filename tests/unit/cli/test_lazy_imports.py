"""Commands do not import slow modules that they do not use."""

import subprocess
import sys
from pathlib import Path

# Each takes at least a tenth of a second, or belongs to a platform that is not set up.
HEAVY = (
    "anthropic",
    "aiohttp",
    "discord",
    "slack_bolt",
    "prompt_toolkit",
    "markdown_it",
    "pydantic",
    "yaml",
    # Of the extras.
    "psycopg",
    "procrastinate",
    "cryptography",
)

RUN = f"""
import sys
from bot.cli.main import main
seen = []
for words in (["--help"], ["usage"], ["check", "--offline"]):
    try:
        main(words, prog_name="threadkeep")
    except SystemExit:
        pass
    seen += [(words, name) for name in {HEAVY} if name in sys.modules]
assert not seen, seen
# What was not imported by mistake elsewhere, but by the command that is asked for.
assert "storage.reading" in sys.modules
# They read without the store: importing it would be a tenth of what they take.
assert "storage.store" not in sys.modules
# The bot listens before Claude's SDK is imported.
import bot.cli.serve, adapters.slack.adapter, adapters.discord.adapter
assert "anthropic" not in sys.modules
assert "psycopg" not in sys.modules
assert "procrastinate" not in sys.modules
"""


def test_commands_that_only_report_import_no_sdk(tmp_path: Path) -> None:
    env = {"THREADKEEP_DB": str(tmp_path / "threadkeep.db"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
