"""Sends all texts to Discord: posts, edits and responses.

Rule: no text sent here shows a preview, contains a link that reads as another address,
or notifies anyone but the people in `calls`. This includes edits: Discord parses their
mentions again with its own defaults, and an edit may remove the flag that suppresses
previews (platform facts B5, B10). A deferred response begins without the flag.
"""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui
from discord.http import handle_message_parameters
from discord.webhook.async_ import async_context

from adapters.discord import ids, markup
from bot.rendering.safe_links import without_misleading

NOBODY = discord.AllowedMentions.none()

View = ui.View | ui.LayoutView

Interaction = discord.Interaction[discord.Client]


def mention_of(user: int) -> discord.AllowedMentions:
    """Return the allowed mentions of a text that may notify `user` only."""
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
    view: View | None = None,
    files: Sequence[discord.File] = (),
    calls: discord.AllowedMentions = NOBODY,
    **more: Any,
) -> discord.Message:
    """Post a message; `more` is as in `discord.abc.Messageable.send`."""
    if view is not None:
        more["view"] = view
    return await channel.send(
        content(text, view),
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
    view: View | None,
    calls: discord.AllowedMentions = NOBODY,
) -> None:
    """Replace the text of one of the bot's messages; if `view` is None, remove its
    controls. Raises TypeError or KeyError for a response that is not a message."""
    # One of the SDK's two methods cannot suppress previews, and the other restores them
    # unless told otherwise.
    with handle_message_parameters(
        content=content(text, view),
        flags=_quiet(),
        view=view,
        allowed_mentions=calls,
    ) as parameters:
        shown = await client.http.edit_message(channel, message, params=parameters)
    # A page of a proxy has no id. It does not mean that the message was edited.
    ids.number(str(shown["id"]), "edit a message")


async def respond(
    interaction: Interaction,
    text: str,
    *,
    ephemeral: bool,
    view: View | None = None,
    files: Sequence[discord.File] = (),
) -> int | None:
    """Respond with a message; return its id, if Discord gives it."""
    more: dict[str, Any] = {} if view is None else {"view": view}
    response = await interaction.response.send_message(
        content(text, view),
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
    view: View | None = None,
    files: Sequence[discord.File] = (),
) -> int:
    """Replace the deferred response by a message; return its id."""
    more: dict[str, Any] = {} if view is None else {"view": view}
    http = interaction.client.http
    # The SDK's own method has no parameter for flags.
    with handle_message_parameters(
        content=content(text, view),
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
    interaction: Interaction, text: str, view: View | None
) -> None:
    """Respond by replacing the message whose control was used."""
    await interaction.response.edit_message(
        content=content(text, view),
        view=view,
        allowed_mentions=NOBODY,
        suppress_embeds=True,
    )


async def respond_privately(interaction: Interaction, text: str) -> None:
    """Respond with a message that only the person sees, as a follow-up if there was a
    response already."""
    if interaction.response.is_done():
        await interaction.followup.send(
            _with_honest_links(text),
            ephemeral=True,
            allowed_mentions=NOBODY,
            suppress_embeds=True,
        )
    else:
        await respond(interaction, text, ephemeral=True)


async def defer(interaction: Interaction, *, ephemeral: bool) -> None:
    """Defer the response."""
    await interaction.response.defer(ephemeral=ephemeral, thinking=True)


async def open_modal(interaction: Interaction, form: ui.Modal) -> None:
    """Respond with a modal."""
    await interaction.response.send_modal(form)


def content(text: str, view: View | None) -> str | None:
    """Return `text` as the content of a message with `view`: None beside a layout,
    which contains the whole text itself (facts B5)."""
    if not isinstance(view, ui.LayoutView):
        return _with_honest_links(text)
    for item in view.walk_children():
        if isinstance(item, ui.TextDisplay):
            item.content = _with_honest_links(item.content)
    return None


def _with_honest_links(text: str) -> str:
    return without_misleading(text, code=markup.certain_code)


def _quiet() -> discord.MessageFlags:
    return discord.MessageFlags(suppress_embeds=True)
