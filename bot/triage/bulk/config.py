"""Whose key triage uses, and where it remembers."""

from dataclasses import dataclass, field
from pathlib import Path

import anthropic

from bot.claude import client as claude_client
from bot.config import Config, read_environment
from bot.errors import ConfigError


@dataclass(frozen=True)
class TriageConfig:
    """What the environment says, as far as triage needs it."""

    api_key: str | None = field(repr=False)
    base_url: str | None
    archive: Path
    #: The bot's own database.
    database: Path

    @classmethod
    def of_environment(cls, api_key: str | None = None) -> "TriageConfig":
        """With `api_key` instead of the environment's, if there is one. Raises
        ConfigError for settings that cannot be."""
        settings = Config.from_env(read_environment())
        archive = settings.database.with_name("triage.db")
        key = api_key or settings.api_key
        return cls(key, settings.base_url, archive, settings.database)

    def client(self) -> anthropic.AsyncAnthropic:
        """A client of Claude's API, to be closed. Raises ConfigError without a key."""
        if self.api_key is None:
            raise ConfigError(
                "Triage asks Claude, and ANTHROPIC_API_KEY is not set: put a key into "
                ".env, or into the environment."
            )
        return claude_client.client(self.api_key, self.base_url, bulk=True)
