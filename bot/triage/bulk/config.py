"""The configuration of triage, from the environment."""

from dataclasses import dataclass, field
from pathlib import Path

from bot.claude import client as claude_client
from bot.claude.client import ClaudeClient
from bot.config import Config, read_environment
from bot.domain.server_address import ServerAddress
from bot.errors import ConfigError
from bot.messages.triage_files import NEEDS_KEY
from bot.runtime.text_files import read_text
from bot.schemes.default import DEFAULT


def scheme_text(file: str) -> str:
    """Return the YAML of the scheme in `file`, or of the default scheme for "". Raises
    ConfigError."""
    return read_text(file) if file else DEFAULT


@dataclass(frozen=True)
class TriageConfig:
    """The configuration of triage."""

    api_key: str | None = field(repr=False)
    base_url: str | None
    archive: Path
    #: The bot's database.
    database: Path | ServerAddress

    @classmethod
    def of_environment(cls, api_key: str | None = None) -> "TriageConfig":
        """Read the environment. `api_key` takes precedence over the key there. Raises
        ConfigError for invalid settings."""
        settings = Config.from_env(read_environment())
        archive = settings.beside.with_name("triage.db")
        key = api_key or settings.api_key
        return cls(key, settings.base_url, archive, settings.database)

    def client(self) -> ClaudeClient:
        """Return a client, which the caller closes. Raises ConfigError without a
        key."""
        if self.api_key is None:
            raise ConfigError(NEEDS_KEY)
        return claude_client.client(self.api_key, self.base_url)
