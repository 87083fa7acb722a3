"""The operator's configuration. Only this module reads the environment."""

import base64
import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from bot.claude.catalog import named
from bot.domain import served_workspaces
from bot.domain.budget import Budget
from bot.domain.retention import AUDIT_DAYS, CASE_DAYS, DAY, PURGE_DAYS, Retention
from bot.domain.scope import EVERYWHERE
from bot.domain.served_workspaces import Served
from bot.domain.server_address import SCHEMES, ServerAddress
from bot.domain.setting import StoredSettings
from bot.domain.tracing import SERVICE, Tracing
from bot.domain.turn import ANSWERS_AT_ONCE
from bot.errors import ConfigError, Unacceptable
from bot.messages import config as messages
from bot.messages import mcp as mcp_messages
from bot.runtime import env_file, logs
from bot.runtime.env_file import EnvFile
from bot.settings import audience, mcp_choices, mcp_file
from bot.settings.audience import Audience
from bot.settings.effective import Operator, resolve, totals
from bot.settings.mcp_file import McpConfig
from bot.settings.operator_limits import TOTALS
from bot.settings.options import BY_NAME, OPTIONS
from bot.settings.parsers import AUTO
from bot.text import addresses
from bot.text.numbers import number
from bot.text.redaction import is_credential, quote

# More streams than one process can read from Claude, or than Slack can show.
MOST_AT_ONCE = 10_000

_DIGITS = re.compile(r"[0-9]{1,9}")
_ADMIN = re.compile(r"[a-z]+:[A-Za-z0-9]+")

# A key of 32 bytes, as printed by `threadkeep keys new`; and the most keys in use.
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
MOST_KEYS = 20

# A week. A platform that was silent for longer cannot be called connected.
MOST_MINUTES = 10_080

# The default of THREADKEEP_DB.
DATABASE = "data/threadkeep.db"

LEVELS = ("debug", "info", "warning", "error")

# A hundred years, the longest retention period.
MOST_DAYS = 36_500


def load_environment() -> tuple[dict[str, str], EnvFile]:
    """Return the environment merged with the .env file in this folder, and that file.

    Variables of the environment override the file. Raises ConfigError if the file
    cannot be read.
    """
    found = env_file.read()
    return {**found.values, **env_file.unquoted(os.environ)}, found


def read_environment() -> dict[str, str]:
    """Return the environment, merged with the .env file in this folder.

    Variables of the environment override the file. Raises ConfigError if the file
    cannot be read, or if it has invalid lines.
    """
    env, found = load_environment()
    if found.problems:
        raise ConfigError(*found.problems)
    return env


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration outside the chat, and the operator's values of all options."""

    #: None for the offline model.
    api_key: str | None = field(repr=False)
    base_url: str | None
    #: The database file, or the address of the database on a server.
    database: Path | ServerAddress
    operator: Operator
    #: The seconds that running answers may take when the process is told to stop.
    grace: float
    #: The most answers that are written at once; further questions wait.
    answers_at_once: int
    #: None for the default, which depends on the destination of the log.
    log_level: str | None
    #: One of `bot.runtime.logs.FORMATS`.
    log_format: str
    retention: Retention
    #: The process is ready only if each connected platform has sent something within
    #: this many seconds; None if a connection is enough.
    heard_within: float | None = None
    #: The remote MCP servers, with their tokens.
    mcp: McpConfig = field(default_factory=McpConfig)
    #: Pairs of a platform and a channel in which probes are posted.
    probes: tuple[tuple[str, str], ...] = ()
    #: The keys that seal tokens of workspaces, newest first.
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    #: The destination of OpenTelemetry spans; None to send none.
    tracing: Tracing | None = None

    @property
    def beside(self) -> Path:
        """The path next to which this machine's files are stored.

        This is the path of the database, or its default path if the database is on a
        server.
        """
        if isinstance(self.database, Path):
            return self.database
        return Path(DATABASE).absolute()

    @property
    def model(self) -> str:
        """The default model."""
        return resolve(EVERYWHERE, StoredSettings(), self.operator.values)["model"]

    @property
    def fixed_model(self) -> str:
        """The default model; the capable one if each thread's model is chosen."""
        values = self.operator.values
        return resolve(EVERYWHERE, StoredSettings(), values).fixed_model

    @property
    def totals(self) -> tuple[Budget, ...]:
        """The budgets over all workspaces."""
        return totals(self.operator.values)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config":
        """Parse `env`. Raises a ConfigError that lists every problem."""
        config, problems = cls.read(env)
        if problems:
            raise ConfigError(*problems)
        return config

    @classmethod
    def read(cls, env: Mapping[str, str]) -> tuple["Config", list[str]]:
        """Parse `env` into a configuration and a list of problems, one sentence each.

        An invalid value is replaced by its default.
        """
        problems: list[str] = []
        values = _values(env, problems)
        grace = _number(env, "THREADKEEP_GRACE", 20, 0, 3600, problems)
        at_once = _number(
            env,
            "THREADKEEP_ANSWERS_AT_ONCE",
            ANSWERS_AT_ONCE,
            1,
            MOST_AT_ONCE,
            problems,
        )
        level = _choice(env, "THREADKEEP_LOG", LEVELS, problems)
        log_format = _choice(env, "THREADKEEP_LOG_FORMAT", logs.FORMATS, problems)
        admins = _admins(env, problems)
        workspaces = _workspaces(env, problems)
        people = _audience(env, problems)
        retention = _retention(env, problems)
        heard_within = _number(
            *(env, "THREADKEEP_HEARD_WITHIN", 0, 1, MOST_MINUTES, problems)
        )
        mcp = mcp_file.load(env, problems)
        problems += _not_offered(values, mcp)
        api_key = _text(env, "ANTHROPIC_API_KEY")
        base_url = _text(env, "ANTHROPIC_BASE_URL")
        if base_url and (wrong := addresses.problem("ANTHROPIC_BASE_URL", base_url)):
            problems.append(wrong)
        if wrong := database_problem(env):
            problems.append(wrong)
        config = cls(
            api_key=api_key,
            base_url=base_url,
            database=_database(env),
            operator=Operator(
                values,
                secret=api_key or "",
                admins=admins,
                served=workspaces,
                audience=people,
                servers=mcp.servers,
            ),
            grace=float(grace),
            answers_at_once=at_once,
            log_level=level,
            log_format=log_format or logs.TEXT,
            retention=retention,
            heard_within=60.0 * heard_within or None,
            mcp=mcp,
            probes=_probes(env, problems),
            keys=_keys(env, problems),
            tracing=_tracing(env, problems),
        )
        return config, problems


def _values(env: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    """Return the operator's values of options that are set, in canonical form."""
    values: dict[str, str] = {}
    today = datetime.now(UTC).date()
    for option in (*OPTIONS, *TOTALS):
        written = _text(env, option.variable) if option.for_operators else None
        if written is None:
            continue
        if is_credential(written) and not any(map(str.isspace, written)):
            # Options for names and numbers would refuse a secret, but options for a
            # prompt or a model would accept it and show it to everybody.
            problems.append(messages.misplaced_credential(variable=option.variable))
            continue
        if option.name == "model" and written != AUTO:
            # The catalog may be older than the model; `check` asks the API.
            facts = named(written)
            values[option.name] = facts.id if facts else written
            continue
        try:
            values[option.name] = option.read(written, today)
        except Unacceptable as error:
            problems.append(
                messages.variable_problem(
                    variable=option.variable, problem=error.user_text
                )
            )
    unused = resolve(EVERYWHERE, StoredSettings(), values).applied
    problems += [
        messages.unused_value(variable=option.variable, why=why)
        for option in OPTIONS
        if option.name in values and (why := unused[option.name].unused)
    ]
    return values


def _admins(env: Mapping[str, str], problems: list[str]) -> frozenset[str]:
    words = (_text(env, "THREADKEEP_ADMINS") or "").replace(",", " ").split()
    for word in words:
        if not _ADMIN.fullmatch(word):
            problems.append(messages.not_an_admin(written=quote(word)))
    return frozenset(words)


def _tracing(env: Mapping[str, str], problems: list[str]) -> Tracing | None:
    """Read the destination of spans from OpenTelemetry's standard variables."""
    base = _text(env, "OTEL_EXPORTER_OTLP_ENDPOINT")
    exact = _text(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    disabled = (_text(env, "OTEL_SDK_DISABLED") or "").lower() == "true"
    written = _text(env, "OTEL_EXPORTER_OTLP_HEADERS") or ""
    service = _text(env, "OTEL_SERVICE_NAME") or SERVICE
    endpoint = exact or (base and f"{base.rstrip('/')}/v1/traces")
    if endpoint is None or disabled:
        return None
    name = f"OTEL_EXPORTER_OTLP_{'TRACES_' if exact else ''}ENDPOINT"
    if wrong := addresses.problem(name, endpoint):
        problems.append(wrong)
    pairs = (each.partition("=") for each in written.split(",") if "=" in each)
    headers = {key.strip().lower(): unquote(value.strip()) for key, _, value in pairs}
    return Tracing(endpoint, headers, service)


def _probes(env: Mapping[str, str], problems: list[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for word in (_text(env, "THREADKEEP_PROBE") or "").replace(",", " ").split():
        if not _ADMIN.fullmatch(word):
            problems.append(messages.not_a_channel(written=quote(word)))
            continue
        platform, _, channel = word.partition(":")
        found.append((platform, channel))
    return tuple(found)


def _keys(env: Mapping[str, str], problems: list[str]) -> tuple[bytes, ...]:
    words = (_text(env, "THREADKEEP_KEYS") or "").replace(",", " ").split()
    if not all(map(_KEY.fullmatch, words)) or len(words) > MOST_KEYS:
        # Quote none of the words, even if it is not a key.
        problems.append(messages.NOT_KEYS)
        return ()
    return tuple(map(base64.urlsafe_b64decode, words))


def _workspaces(env: Mapping[str, str], problems: list[str]) -> Served:
    found, wrong = served_workspaces.read(_text(env, served_workspaces.VARIABLE) or "")
    problems += wrong
    return found


def _audience(env: Mapping[str, str], problems: list[str]) -> Audience:
    found, wrong = audience.read(_text(env, "THREADKEEP_WHO") or "")
    problems += wrong
    return found


def _not_offered(values: Mapping[str, str], mcp: McpConfig) -> list[str]:
    """Return a problem if the default names MCP servers that are not in the file."""
    known = {each.name for each in mcp.servers}
    named = mcp_choices.names(values.get(mcp_choices.OPTION, mcp_file.OFF))
    wrong = ", ".join(each for each in named if each not in known)
    if not wrong:
        return []
    variable = BY_NAME[mcp_choices.OPTION].variable
    problem = mcp_messages.not_offered(names=wrong)
    return [messages.variable_problem(variable=variable, problem=problem)]


def _retention(env: Mapping[str, str], problems: list[str]) -> Retention:
    def days(name: str, default: int) -> int:
        return _number(env, name, default, 1, MOST_DAYS, problems)

    threads = days("THREADKEEP_THREAD_DAYS", 0)
    return Retention(
        refusals=DAY * days("THREADKEEP_AUDIT_DAYS", AUDIT_DAYS),
        cases=DAY * days("THREADKEEP_CASE_DAYS", CASE_DAYS),
        uninstalled=DAY * days("THREADKEEP_PURGE_AFTER", PURGE_DAYS),
        threads=DAY * threads if threads else None,
    )


def database_problem(env: Mapping[str, str]) -> str:
    """Return why THREADKEEP_DB is invalid, or ""."""
    path = _database(env)
    if isinstance(path, ServerAddress):
        return "" if path.url.isprintable() else messages.BAD_DATABASE_PATH
    if "://" in (_text(env, "THREADKEEP_DB") or ""):
        return messages.BAD_DATABASE_SCHEME
    # The path of a file is quoted in messages and visible to others on the machine.
    # Check the original text, too, since a path has single instead of double slashes.
    if is_credential(_text(env, "THREADKEEP_DB") or "") or is_credential(path.stem):
        return messages.misplaced_credential(variable="THREADKEEP_DB")
    if not str(path).isprintable():
        return messages.BAD_DATABASE_PATH
    try:
        is_file = path.name not in ("", "..") and not path.is_dir()
    except OSError as error:
        return messages.unusable_database_path(reason=error.strerror or "")
    return "" if is_file else messages.database_is_directory(path=path)


def _database(env: Mapping[str, str]) -> Path | ServerAddress:
    text = _text(env, "THREADKEEP_DB") or DATABASE
    if text.startswith(SCHEMES):
        return ServerAddress(text)
    with contextlib.suppress(RuntimeError):
        # Not every caller has a shell that expands "~".
        text = str(Path(text).expanduser())
    # Messages show the absolute path.
    return Path(text).absolute()


def _text(env: Mapping[str, str], name: str) -> str | None:
    return env.get(name, "").strip() or None


def _number(
    env: Mapping[str, str],
    name: str,
    default: int,
    least: int,
    most: int,
    problems: list[str],
) -> int:
    value = _text(env, name)
    if value is None:
        return default
    found = number(value)
    if found is None or not least <= found <= most:
        problems.append(
            messages.not_a_number(
                variable=name, least=least, most=most, written=quote(value)
            )
        )
        return default
    return found


def _choice(
    env: Mapping[str, str], name: str, choices: tuple[str, ...], problems: list[str]
) -> str | None:
    value = _text(env, name)
    if value is not None and value.lower() not in choices:
        problems.append(
            messages.not_a_choice(
                variable=name, choices=", ".join(choices), written=quote(value)
            )
        )
        return None
    return value.lower() if value else None
