"""`threadkeep ask`: one question, with the text on standard input, and one answer.

Rule 1: only the answer goes to standard output. Everything else goes to standard error.
Rule 2: only the cost is stored, and it counts against the terminal's budgets. So the
command can run while a bot uses the same database.
"""

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import click
from rich.live import Live
from rich.spinner import Spinner

from bot.budgets import summary
from bot.claude import catalog, one_shot
from bot.claude.one_shot import Completion
from bot.cli import standard_input
from bot.cli.environment import BROKEN, run
from bot.cli.model import open_model
from bot.cli.platforms import load_module
from bot.cli.standard_input import Document
from bot.cli.variables import unread
from bot.config import Config, load_environment
from bot.context import prompt as context_prompt
from bot.conversation.composer import CONTEXT, FETCHES, SEARCHES
from bot.domain.budget import BudgetExceeded, Charge
from bot.domain.completion import ChatMessage, Request
from bot.domain.scope import Scope
from bot.domain.setting import OPERATOR, Setting, StoredSettings
from bot.errors import ConfigError, ModelDenied, ModelGone, PromptTooLong, Unacceptable
from bot.messages import answers, command_help, phrases
from bot.messages import cli as messages
from bot.runtime import logs, terminal
from bot.runtime.env_file import EnvFile
from bot.settings import parsers
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings, resolve
from bot.settings.options import BY_NAME
from bot.ui import formatting
from storage.opening import open_or_share
from storage.store import DatabaseStore

#: The scope of the terminal's settings and budgets, and the person who asks there.
PLACE, AUTHOR = Scope("terminal", "local", "local"), "you"

# The longest answers of the largest models take about half an hour.
TIMEOUT = 3600.0

# Bytes of UTF-8 per token, an upper estimate (ordinary English text has about four).
# Input that is too large by this estimate is refused here. If other input does not fit,
# Claude refuses it at no cost.
BYTES_PER_TOKEN = 4

# The reasons for a cut answer, as the API names them.
_CUT = {
    "max_tokens": messages.ANSWER_TOO_LONG,
    "model_context_window_exceeded": messages.WINDOW_FULL,
    "refusal": answers.DECLINED,
}


@click.command(help=command_help.ASK)
@click.argument("question", nargs=-1)
@click.option("--model", default="", help=messages.MODEL_HELP)
@click.option("--system", default="", help=messages.SYSTEM_HELP)
def ask(question: tuple[str, ...], model: str, system: str) -> None:
    env, env_file = load_environment()
    sys.exit(answer(env, env_file, " ".join(question), model=model, system=system))


def answer(
    env: Mapping[str, str],
    env_file: EnvFile,
    question: str = "",
    *,
    model: str = "",
    system: str = "",
) -> int:
    """Answer `question` about the text on standard input; return the exit status.

    Raises ConfigError for a mistake in the configuration, the options or the input.
    """
    config, problems = Config.read(env)
    if problems := [*env_file.problems, *problems]:
        raise ConfigError(*problems)
    logs.set_up(config.log_level or "error")
    for note in unread(env, env_file.lines, config.mcp.variables):
        terminal.complain(note)
    model, system = _options(model, system)
    # Read before the event loop runs, since the loop would delay Ctrl-C until the end
    # of the input.
    document = standard_input.read()
    if not question.strip() and not document.text.strip():
        raise ConfigError(messages.NOTHING_TO_ANSWER)
    for doubt in document.doubts:
        terminal.say(messages.warning(text=doubt), err=True)
    light = terminal.is_light(env.get("COLORFGBG", ""))
    asked = _Question(config, question.strip(), document, model, system, light)
    return run(asked.answer())


def _options(model: str, system: str) -> tuple[str, str]:
    try:
        if model:
            model = BY_NAME["model"].read(model, datetime.now(UTC).date())
        return model, parsers.prompt(system) if system else ""
    except Unacceptable as error:
        raise ConfigError(error.user_text) from None


class _Question:
    """A question with the options for its answer."""

    def __init__(
        self,
        config: Config,
        question: str,
        document: Document,
        model: str,
        system: str,
        light: bool,
    ) -> None:
        self._config = config
        self._question = question
        self._document = document.text
        self._model = model
        self._system = system
        self._light = light

    async def answer(self) -> int:
        """Print the answer; return the exit status."""
        async with (
            open_or_share(self._config.database) as store,
            open_model(self._config) as model,
        ):
            request, settings = await self._request(store)
            charge = Charge(PLACE, AUTHOR, "ask", request.model)
            with _showing(request.model, light=self._light) as show:
                completion = await one_shot.complete_charged(
                    *(store, model, request, charge, settings.caps),
                    timeout=TIMEOUT,
                    now=time.time,
                    show=show,
                )
        if isinstance(completion, BudgetExceeded):
            terminal.complain(summary.shortfall(completion, time.time(), {}))
            return BROKEN
        if self._config.api_key is not None and completion.cost != 0:
            self._print_cost(request, completion)
        if trouble := _trouble(request, completion):
            terminal.complain(trouble)
            return BROKEN
        return 0

    async def _request(self, store: DatabaseStore) -> tuple[Request, EffectiveSettings]:
        """Return the request and the settings that it was made with.

        Raises ConfigError if the request is too large.
        """
        access = SettingsAccess(store, {}, self._config.operator.alone)
        stored = await store.stored_settings(PLACE)
        if self._model:
            stored = _with_model(stored, self._model)
        settings = resolve(PLACE, stored, await access.defaults())
        system = self._system or (await access.prompt(settings)).text or ""
        model = settings.fixed_model
        text = self._question or self._document
        about = self._document if self._question else ""
        secret = self._config.operator.secret
        request = Request(
            model=model,
            system=context_prompt.system_prompt(system),
            messages=(
                ChatMessage("user", context_prompt.question(phrases.YOU, text, about)),
            ),
            max_tokens=settings.max_tokens,
            user=context_prompt.opaque(AUTHOR, PLACE.workspace, secret),
            effort=settings.used("effort") or None,
            temperature=settings.temperature,
            stop_sequences=settings.stop_sequences,
            searches=SEARCHES if settings.on("web_search") else 0,
            fetches=FETCHES if settings.on("web_fetch") else 0,
            hosts=settings.hosts,
            # No later request repeats the messages, and writing to the cache costs
            # more.
            cache_messages=False,
        )
        size = len(request.messages[0].content.encode(errors="replace"))
        if size > _window(model) * BYTES_PER_TOKEN:
            raise ConfigError(_too_large(model))
        return request, settings

    def _print_cost(self, request: Request, completion: Completion) -> None:
        line = formatting.footer(
            request.model,
            completion.usage,
            completion.cost,
            bounded=completion.bounded,
            exact=True,
        )
        terminal.say(line, err=True)


def _with_model(stored: StoredSettings, model: str) -> StoredSettings:
    """Return `stored` with `model` set last, so that it takes effect."""
    chosen = Setting(PLACE, "model", model, OPERATOR, 0.0, 0)
    return replace(stored, settings=(*stored.settings, chosen))


def _window(model: str) -> int:
    facts = catalog.find(model)
    return facts.context if facts else CONTEXT


def _too_large(model: str) -> str:
    return messages.question_too_large(model=model, tokens=_window(model))


def _trouble(request: Request, completion: Completion) -> str:
    """Return why the answer is missing or incomplete; "" if it is complete."""
    if completion.trouble == PromptTooLong.user_text:
        return _too_large(request.model)
    gone = ModelGone("", request.model).user_text
    if completion.trouble in (ModelDenied.user_text, gone):
        return messages.CLAUDE_DENIES
    if completion.trouble:
        return completion.trouble
    if cut := _CUT.get(completion.stop_reason or ""):
        return cut
    return "" if completion.text.strip() else answers.EMPTY


@contextlib.contextmanager
def _showing(model: str, *, light: bool) -> Iterator[one_shot.Show]:
    """Yield a function that prints each piece of the answer of `model`.

    The answer is rendered on a terminal, and written unchanged elsewhere. In the latter
    case, standard error shows the progress if it is a terminal.
    """
    if sys.stdout.isatty():
        view = load_module("adapters.terminal.answer_view")
        screen = view.RichScreen(terminal.on(None), light=light)
    else:
        screen = None
    err = terminal.console(stderr=True)
    spinner = Spinner("dots", messages.asking(model=model))
    # Do not redirect standard output, which is reserved for the answer.
    status = Live(
        spinner,
        console=err,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    text = ""

    def show(piece: str) -> None:
        nonlocal text
        text += piece
        if screen is not None:
            screen.update(text)
            return
        spinner.update(text=messages.answering(model=model, count=len(text)))
        terminal.put(piece)

    with contextlib.ExitStack() as stack:
        if screen is not None:
            stack.callback(screen.close)
        elif err.is_terminal:
            stack.enter_context(status)
        yield show
    if screen is None and text:
        terminal.put("" if text.endswith("\n") else "\n")
