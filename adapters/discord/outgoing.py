"""The one way into Discord for texts: what is posted, edited and answered.

Rule: nothing that leaves here notifies anyone or opens a preview, and no link reads as
another address than it leads to. That holds for each edit, too: Discord reads its
mentions anew, with its own defaults, and an edit may take away what kept previews off
(platform facts B5, B10). An answer that was put off begins without that.
"""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui
from discord.http import handle_message_parameters
from discord.webhook.async_ import async_context

from adapters.discord import ids
from bot.text import links

NOBODY = discord.AllowedMentions.none()

Interaction = discord.Interaction[discord.Client]


def mention_of(user: int) -> discord.AllowedMentions:
    """Whom a text may notify that is for one person to see."""
    return discord.AllowedMentions(
        everyone=False,
        roles=False,
        users=[discord.Object(user)],
        replied_user=False,
    )


async def post(
    channel: discord.abc.Messageable,
    text: str,
    *,
    view: ui.View | None = None,
    files: Sequence[discord.File] = (),
    calls: discord.AllowedMentions = NOBODY,
    **more: Any,
) -> discord.Message:
    """Post a message; `more` is as in `discord.abc.Messageable.send`."""
    if view is not None:
        more["view"] = view
    return await channel.send(
        links.unmask_misleading(text),
        files=list(files),
        allowed_mentions=calls,
        suppress_embeds=True,
        **more,
    )


async def edit(
    client: discord.Client,
    channel: int,
    message: int,
    text: str,
    *,
    view: ui.View | None,
    calls: discord.AllowedMentions = NOBODY,
) -> None:
    """Let one of our messages read `text`; without a `view` its controls are gone."""
    # Of the SDK's own two methods one cannot say that there are to be no previews, and
    # the other brings them back where nobody says it.
    with handle_message_parameters(
        content=links.unmask_misleading(text),
        flags=_quiet(),
        view=view,
        allowed_mentions=calls,
    ) as parameters:
        await client.http.edit_message(channel, message, params=parameters)


async def respond(
    interaction: Interaction,
    text: str,
    *,
    ephemeral: bool,
    view: ui.View | None = None,
    files: Sequence[discord.File] = (),
) -> int | None:
    """Answer with a message; return its id, if Discord says it."""
    more: dict[str, Any] = {} if view is None else {"view": view}
    response = await interaction.response.send_message(
        links.unmask_misleading(text),
        files=list(files),
        ephemeral=ephemeral,
        allowed_mentions=NOBODY,
        suppress_embeds=True,
        **more,
    )
    return response.message_id


async def edit_response(
    interaction: Interaction,
    text: str,
    *,
    view: ui.View | None = None,
    files: Sequence[discord.File] = (),
) -> int:
    """Answer with a message what Discord was told to wait for; return its id."""
    more: dict[str, Any] = {} if view is None else {"view": view}
    http = interaction.client.http
    # The SDK's own method knows no flags.
    with handle_message_parameters(
        content=links.unmask_misleading(text),
        flags=_quiet(),
        attachments=list(files),
        allowed_mentions=NOBODY,
        **more,
    ) as parameters:
        shown = await async_context.get().edit_original_interaction_response(
            interaction.application_id,
            interaction.token,
            session=interaction._session,
            proxy=http.proxy,
            proxy_auth=http.proxy_auth,
            payload=parameters.payload,
            multipart=parameters.multipart,
            files=parameters.files,
        )
    return ids.number(str(shown["id"]), "answer a command")


async def update_message(
    interaction: Interaction, text: str, view: ui.View | None
) -> None:
    """Answer by letting the message read `text` whose control was used."""
    await interaction.response.edit_message(
        content=links.unmask_misleading(text),
        view=view,
        allowed_mentions=NOBODY,
        suppress_embeds=True,
    )


async def respond_privately(interaction: Interaction, text: str) -> None:
    """Answer, once more if need be, to be seen by who asked alone."""
    if interaction.response.is_done():
        await interaction.followup.send(
            links.unmask_misleading(text),
            ephemeral=True,
            allowed_mentions=NOBODY,
            suppress_embeds=True,
        )
    else:
        await respond(interaction, text, ephemeral=True)


async def defer(interaction: Interaction, *, ephemeral: bool) -> None:
    """Have Discord wait for an answer."""
    await interaction.response.defer(ephemeral=ephemeral, thinking=True)


async def open_modal(interaction: Interaction, form: ui.Modal) -> None:
    """Answer with a form."""
    await interaction.response.send_modal(form)


def _quiet() -> discord.MessageFlags:
    return discord.MessageFlags(suppress_embeds=True)
