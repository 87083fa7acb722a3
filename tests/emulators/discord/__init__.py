"""A Discord on loopback: its REST API and gateway, as discord.py meets them.

What Discord knows (guilds, members, permissions, channels, messages, mentions,
components, interactions, and the JSON of all these) is kept by simcord, a model
of Discord made for tests: much of it is tedious, and simcord's authors have done
it with care. Its own way of running a bot, which replaces parts of discord.py in
process, is not used. Between the model and an unchanged discord.py are a real
HTTP server and a real WebSocket, which are ours, so that a bot may also be
another process, and be killed.

Where the model is silent or more lenient than Discord, `model.py` and `rules.py`
correct it. A request that nobody knows is answered 501 and fails the test.

Facts are cited by section of the project's sheet on the platforms ("B4").
Nothing in the product knows that this exists.
"""

from tests.emulators.discord.emulator import DiscordEmulator as DiscordEmulator
