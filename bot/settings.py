"""What the operator sets, read once from a mapping. Nobody else reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.catalogue import DEFAULT_MODEL, find
from bot.errors import ConfigError

DEFAULT_PROMPT = (
    "You are Threadkeep, an assistant in a team's chat. Be accurate, kind and "
    "brief: answer first, explain after, and say so when you do not know."
)
EFFORTS = ("low", "medium", "high", "xhigh", "max")
LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults below every setting made in the chat."""

    #: None means that the rehearsal model answers.
    api_key: str | None = field(repr=False)
    base_url: str | None
    database: Path
    model: str
    max_tokens: int
    system_prompt: str
    #: None where the model does not take it.
    effort: str | None
    #: Seconds that running answers are given when the process is told to stop.
    grace: float
    #: None leaves it to whoever knows where the log goes.
    log_level: str | None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read `env`. Raises ConfigError that names every problem at once."""
        problems: list[str] = []
        model = _text(env, "THREADKEEP_MODEL") or DEFAULT_MODEL
        facts = find(model)
        most = facts.max_output if facts else 128_000
        max_tokens = _number(env, "THREADKEEP_MAX_TOKENS", 4096, 1, most, problems)
        grace = _number(env, "THREADKEEP_GRACE", 20, 0, 3600, problems)
        effort = _choice(env, "THREADKEEP_EFFORT", EFFORTS, problems)
        level = _choice(env, "THREADKEEP_LOG", LEVELS, problems)
        base_url = _text(env, "ANTHROPIC_BASE_URL")
        if base_url and not base_url.startswith(("http://", "https://")):
            problems.append(f"ANTHROPIC_BASE_URL must be a URL, not {base_url!r}.")
        if effort and facts and not facts.takes_effort:
            problems.append(f"THREADKEEP_EFFORT: {model} has no effort; leave it out.")
        if problems:
            raise ConfigError(" ".join(problems))
        return cls(
            api_key=_text(env, "ANTHROPIC_API_KEY"),
            base_url=base_url,
            database=Path(_text(env, "THREADKEEP_DB") or "data/threadkeep.db"),
            model=model,
            max_tokens=max_tokens,
            system_prompt=_text(env, "THREADKEEP_SYSTEM_PROMPT") or DEFAULT_PROMPT,
            effort=effort or _usual_effort(model),
            grace=float(grace),
            log_level=level,
        )


def _usual_effort(model: str) -> str | None:
    """People in a chat wait for the answer: think less than a model would by
    itself, where it can be told to (Claude facts, section 2)."""
    facts = find(model)
    return "medium" if facts and facts.takes_effort else None


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
    if not value.isdecimal() or not least <= int(value) <= most:
        problems.append(
            f"{name} must be a number from {least} to {most}, not {value!r}."
        )
        return default
    return int(value)


def _choice(
    env: Mapping[str, str], name: str, choices: tuple[str, ...], problems: list[str]
) -> str | None:
    value = _text(env, name)
    if value is not None and value.lower() not in choices:
        problems.append(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
        return None
    return value.lower() if value else None
