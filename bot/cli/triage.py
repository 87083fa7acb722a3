"""`threadkeep triage`: the commands of bulk triage."""

import importlib
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from bot.claude.batches import Batches
from bot.claude.catalog import CHEAP_MODEL, MODELS
from bot.cli import triage_input, triage_run
from bot.cli.environment import Commands, run
from bot.cli.options import AmountType
from bot.errors import ConfigError
from bot.messages import command_help, ticket_files
from bot.messages import triage_files as messages
from bot.messages.cli import SINCE_HELP
from bot.ports.archive import DONE, Run
from bot.runtime import terminal
from bot.schemes.scheme import read
from bot.triage.bulk import progress, runs, writer
from bot.triage.bulk.concurrent import AT_ONCE
from bot.triage.bulk.config import TriageConfig, scheme_text
from bot.triage.bulk.estimate import draw, estimate
from bot.triage.bulk.lost_batches import find_batch
from bot.triage.bulk.reader import Findings, Options, open_source
from bot.triage.bulk.request import resolve_model
from bot.triage.chat import corrections as chat_corrections
from bot.triage.evaluation import evaluate as evaluation_evaluate
from bot.triage.evaluation import report
from bot.triage.evaluation.evaluate import Candidate
from bot.triage.evaluation.metrics import Metrics
from bot.ui import time_range
from storage.beside import read_corrections
from storage.export import write_table
from storage.triage_archive import TriageArchive, open_archive, read_runs

# The models that `--estimate` compares: the current ones.
COMPARED = tuple(MODELS)[:4]


# Options shared by several commands.
_COLUMNS = click.option(
    "-c", "--column", "columns", multiple=True, help=messages.COLUMN_HELP
)
_ID = click.option("--id", "id_column", default="", help=messages.ID_HELP)
_ENCODING = click.option("--encoding", default="", help=ticket_files.ENCODING_HELP)
_HEADER = click.option(
    "--no-header", "headless", is_flag=True, help=ticket_files.NO_HEADER_HELP
)
_FORCE = click.option("--force", is_flag=True, help=ticket_files.FORCE_HELP)
_AT_ONCE = click.option(
    "--at-once",
    default=AT_ONCE,
    show_default=True,
    type=click.IntRange(1, 1000),
    help=messages.AT_ONCE_HELP,
)
_BUDGET = click.option("--budget", type=AmountType(), help=messages.BUDGET_HELP)
_AGAIN = click.option("--again", is_flag=True, help=messages.AGAIN_HELP)


class _Group(Commands):
    """A group whose default command is `run`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        helps = ctx.help_option_names
        if args and args[0] not in self.commands and args[0] not in helps:
            args = ["run", *args]
        elif not args and not sys.stdin.isatty():
            args = ["run", "-"]
        return super().parse_args(ctx, args)


@click.group(cls=_Group, invoke_without_command=False, help=command_help.TRIAGE)
def triage() -> None:
    """Group the commands of bulk triage."""


@triage.command("run", help=command_help.TRIAGE_RUN)
@click.argument("file", default="-")
@click.option("-o", "--output", "out", default="-", help=messages.OUTPUT_HELP)
@click.option(
    "--format",
    "form",
    type=click.Choice(writer.FORMS),
    help=messages.FORMAT_HELP,
)
@click.option("--db", default="", help=messages.DB_HELP)
@_COLUMNS
@_ID
@click.option("--scheme", "scheme_file", default="", help=messages.SCHEME_HELP)
@click.option("--print-scheme", is_flag=True, help=messages.PRINT_SCHEME_HELP)
@click.option("--model", default=CHEAP_MODEL, show_default=True)
@click.option("--batch", "batched", is_flag=True, help=messages.BATCH_HELP)
@_AT_ONCE
@_BUDGET
@click.option("--estimate", "only_estimate", is_flag=True, help=messages.ESTIMATE_HELP)
@click.option("--dry-run", is_flag=True, help=ticket_files.DRY_RUN_HELP)
@_AGAIN
@_ENCODING
@_HEADER
@_FORCE
def run_command(
    file: str,
    out: str,
    form: str | None,
    db: str,
    columns: Sequence[str],
    id_column: str,
    scheme_file: str,
    print_scheme: bool,
    model: str,
    batched: bool,
    at_once: int,
    budget: float | None,
    only_estimate: bool,
    dry_run: bool,
    again: bool,
    encoding: str,
    headless: bool,
    force: bool,
) -> None:
    if print_scheme:
        terminal.write(scheme_text(scheme_file))
        return
    options = Options(columns, id_column, encoding, not headless, force)
    found = Findings()

    async def work() -> int:
        config = TriageConfig.of_environment()
        scheme = scheme_text(scheme_file)
        checked = read(scheme, scheme_file or messages.THE_SCHEME)
        chosen = resolve_model(model, budget)
        outputs = [(out, writer.form_of(out, form, terminal=sys.stdout.isatty()))]
        outputs += [(db, writer.SQLITE)] if db else []
        writer.check(outputs, file)
        with open_source(file, options, ask=triage_input.asker(file)) as source:
            writer.check_width(outputs, source.columns, checked)
            if only_estimate or dry_run:
                models = COMPARED if model == CHEAP_MODEL else (chosen,)
                sample = draw(source.tickets(found))
                triage_input.show(source, found)
                if dry_run:
                    return triage_run.ALL
                async with config.client() as client:
                    priced = await estimate(client, checked, sample, models)
                terminal.console().print(progress.estimates(priced, sample.total))
                return triage_run.ALL
            async with (
                open_archive(config.archive) as archive,
                config.client() as api,
            ):
                begun = await runs.begin(
                    archive,
                    source,
                    scheme=scheme,
                    model=chosen,
                    batched=batched,
                    outputs=outputs,
                    budget=budget,
                    again=again,
                    found=found,
                )
                triage_input.show(source, found)
                await triage_run.warn_of_twins(archive, begun)
                return await triage_run.sort(archive, begun, api, write_table, at_once)

    sys.exit(run(work()))


@triage.command(help=command_help.TRIAGE_RESUME)
@click.argument("run_id", metavar="RUN")
@_AT_ONCE
@_BUDGET
@_AGAIN
def resume(run_id: str, at_once: int, budget: float | None, again: bool) -> None:
    async def work() -> int:
        config = TriageConfig.of_environment()
        async with open_archive(config.archive) as archive, config.client() as api:
            found = await _find_run(archive, run_id)
            if found.state == DONE:
                raise ConfigError(messages.run_is_done(run=run_id))
            if budget is not None:
                resolve_model(found.model, budget)
                found = replace(found, budget=budget)
            await runs.refresh(archive, found, again=again)
            return await triage_run.sort(archive, found, api, write_table, at_once)

    sys.exit(run(work()))


@triage.command("list", help=command_help.TRIAGE_LIST)
def list_runs() -> None:
    async def work() -> int:
        config = TriageConfig.of_environment()
        found = await read_runs(config.archive) if config.archive.exists() else []
        if found:
            terminal.console().print(progress.runs(found))
        else:
            terminal.say(messages.NOTHING_SORTED)
        return triage_run.ALL

    sys.exit(run(work()))


@triage.command(help=command_help.TRIAGE_CANCEL)
@click.argument("run_id", metavar="RUN")
def cancel(run_id: str) -> None:
    async def work() -> int:
        config = TriageConfig.of_environment()
        found = await read_runs(config.archive) if config.archive.exists() else []
        for each, _, sent in found:
            if each.id != run_id:
                continue
            known = {s.batch for _, _, other in found for s in other}
            cancelled = 0
            async with config.client() as client:
                batches = Batches(client)
                for s in sent:
                    if s.collected:
                        continue
                    if batch := s.batch or await find_batch(batches, s, known):
                        cancelled += await batches.cancel(batch)
            terminal.say(messages.being_cancelled(batches=str(cancelled), run=run_id))
            return triage_run.ALL
        raise _unknown(run_id)

    sys.exit(run(work()))


@triage.command("eval", help=command_help.TRIAGE_EVAL)
@click.argument("file")
@_COLUMNS
@_ID
@click.option("--scheme", "schemes", multiple=True, help=messages.SCHEMES_HELP)
@click.option("--model", "models", multiple=True, help=messages.MODELS_HELP)
@click.option("--by", default="", help=messages.BY_HELP)
@click.option("--json", "as_json", default="", help=messages.JSON_HELP)
@click.option("--plot", default="", help=messages.PLOT_HELP)
@_AT_ONCE
@_BUDGET
@_ENCODING
@_FORCE
def evaluate(
    file: str,
    columns: Sequence[str],
    id_column: str,
    schemes: Sequence[str],
    models: Sequence[str],
    by: str,
    as_json: str,
    plot: str,
    at_once: int,
    budget: float | None,
    encoding: str,
    force: bool,
) -> None:
    async def work() -> int:
        config = TriageConfig.of_environment()
        draw_plot = _plot() if plot else None
        tried = [
            Candidate(name or messages.DEFAULT_SCHEME, scheme_text(name), model)
            for name in schemes or ("",)
            for model in (resolve_model(m, budget) for m in models or (CHEAP_MODEL,))
        ]
        async with open_archive(config.archive) as archive, config.client() as api:
            options = Options(columns, id_column, encoding, force=force)
            with open_source(file, options, ask=triage_input.asker(file)) as source:
                read_as = Findings()
                deque(source.tickets(read_as), maxlen=0)
                triage_input.show(source, read_as)
                found = await evaluation_evaluate.evaluate(
                    *(archive, source, tried, api),
                    by=by,
                    at_once=at_once,
                    budget=budget,
                )
        if as_json:
            triage_run.write_text(as_json, evaluation_evaluate.as_json(found))
        if draw_plot:
            draw_plot(found, Path(plot))
        if as_json != "-":
            out = terminal.console()
            out.print(report.draw(found, plain=terminal.plain(out)))
        return (
            triage_run.ALL if not any(s.not_sorted for s in found) else triage_run.SOME
        )

    sys.exit(run(work()))


@triage.command(help=command_help.TRIAGE_CORRECTIONS)
@click.option(
    "-o",
    "--output",
    "out",
    default="-",
    help=messages.OUTPUT_CSV_HELP,
)
@click.option(
    "--since",
    default="365d",
    show_default=True,
    help=SINCE_HELP,
)
def corrections(out: str, since: str) -> None:
    async def work() -> int:
        config = TriageConfig.of_environment()
        begin = time_range.since(since, time.time())
        found = await read_corrections(config.database, begin)
        if not found:
            raise ConfigError(messages.NO_CORRECTIONS)
        triage_run.write_text(out, chat_corrections.as_csv(found))
        terminal.say(messages.corrections_written(count=len(found)), err=True)
        return triage_run.ALL

    sys.exit(run(work()))


def _plot() -> Callable[[Sequence[Metrics], Path], None]:
    try:
        draw: Callable[[Sequence[Metrics], Path], None] = importlib.import_module(
            "bot.triage.evaluation.plot"
        ).draw
        return draw
    except ModuleNotFoundError:
        raise ConfigError(messages.NEEDS_MATPLOTLIB) from None


async def _find_run(archive: TriageArchive, run_id: str) -> Run:
    found = await archive.run(run_id)
    if found is None:
        raise _unknown(run_id)
    return found


def _unknown(run_id: str) -> ConfigError:
    return ConfigError(messages.no_such_run(run=run_id))
