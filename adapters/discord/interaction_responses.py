"""Responds to commands, buttons and forms in time.

Rule: persist, then respond. Discord waits three seconds for a first response (platform
facts B2); if the work takes longer, the response is deferred.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

import discord
from discord import ui

from adapters.discord import outgoing
from adapters.discord.client import translated
from adapters.discord.components import Drawn
from bot.errors import DeliveryError, ThreadkeepError, Unfit
from bot.runtime.background import report

log = logging.getLogger(__name__)

# How long the work may take before the response is deferred, in seconds.
PROMPT = 1.5

Interaction = discord.Interaction[discord.Client]
T = TypeVar("T")


async def await_or_defer(
    interaction: Interaction, work: Awaitable[T], *, ephemeral: bool
) -> tuple[T, bool]:
    """Return the result of `work`, and whether the response was deferred. After a
    deferral, only a message can follow. Raises the errors of `work`."""
    doing = asyncio.ensure_future(work)
    await asyncio.wait({doing}, timeout=PROMPT)
    waits = not doing.done()
    if waits:
        try:
            async with translated("answer a command"):
                await outgoing.defer(interaction, ephemeral=ephemeral)
        except DeliveryError as error:
            log.warning("discord.too_late %s", error)
        except Exception as error:
            # The work goes on, and the person waits for its result.
            report("tell Discord to wait", error)
    return await doing, waits


async def show(
    interaction: Interaction, drawn: Drawn, *, ephemeral: bool, waits: bool = False
) -> int | None:
    """Respond with a message; return its id, or None if Discord did not accept it."""
    more: dict[str, Any] = {"view": drawn.view, "files": drawn.attachments()}
    try:
        async with translated("answer a command"):
            if waits:
                return await outgoing.edit_response(interaction, drawn.text, **more)
            return await outgoing.respond(
                interaction, drawn.text, ephemeral=ephemeral, **more
            )
    except Unfit as error:
        log.error("discord.unfit_answer %s", error)
        if not (drawn.view or drawn.files):
            return None
        # The text alone is better than no response.
        bare = Drawn(drawn.text)
        return await show(interaction, bare, ephemeral=ephemeral, waits=waits)
    except DeliveryError as error:
        # The command was carried out nevertheless.
        log.warning("discord.too_late %s", error)
        return None


async def replace(interaction: Interaction, drawn: Drawn, *, waits: bool) -> None:
    """Replace the message whose control was used."""
    try:
        async with translated("answer a control"):
            if not waits:
                await outgoing.update_message(interaction, drawn.text, drawn.view)
                return
            if (message := interaction.message) is not None:
                await outgoing.edit(
                    *(interaction.client, message.channel.id, message.id),
                    drawn.text,
                    view=drawn.view,
                )
            await interaction.delete_original_response()
    except DeliveryError as error:
        # The command was carried out nevertheless.
        log.warning("discord.too_late %s", error)


async def remove_notice(interaction: Interaction) -> None:
    """Delete the notice whose control was used."""
    if (message := interaction.message) is None:
        return
    try:
        async with translated("delete a notice"):
            await message.delete()
    except DeliveryError as error:
        # The notice expires by itself, or is deleted already.
        log.info("discord.notice_stays %s", error)


async def acknowledge(interaction: Interaction, *, waits: bool) -> None:
    """Respond without a message: the effect is visible by itself."""
    try:
        async with translated("acknowledge"):
            if waits:
                await interaction.delete_original_response()
            else:
                await interaction.response.defer()
    except DeliveryError as error:
        log.warning("discord.too_late %s", error)


async def ask(
    interaction: Interaction, form: ui.Modal, otherwise: Drawn | None = None
) -> None:
    """Respond with a form. If Discord refuses the form, respond with `otherwise`, or
    with a general error message."""
    try:
        async with translated("open a form"):
            await outgoing.open_modal(interaction, form)
    except Unfit as error:
        log.error("discord.unfit_form %s", error)
        instead = otherwise or Drawn(ThreadkeepError.user_text)
        await show(interaction, instead, ephemeral=True)
    except DeliveryError as error:
        log.warning("discord.too_late %s", error)


async def suggest_nothing(interaction: Interaction) -> None:
    """Respond without a suggestion to a person who types an option."""
    try:
        async with translated("suggest"):
            await interaction.response.autocomplete([])
    except DeliveryError as error:
        log.info("discord.too_late %s", error)


async def tell(interaction: Interaction, text: str) -> None:
    """Respond with a message that only the person sees."""
    try:
        async with translated("answer a command"):
            await outgoing.respond_privately(interaction, text)
    except DeliveryError as error:
        log.warning("discord.untold %s", error)
