"""Discord on loopback: its REST API and gateway, for discord.py.

simcord, a model of Discord made for tests, keeps the state of Discord: guilds, members,
permissions, channels, messages, mentions, components, interactions, and the JSON of all
these. Its own way of running a bot, which replaces parts of discord.py in process, is
not used. Our HTTP server and WebSocket connect the model to an unchanged discord.py, so
that a bot may be another process, which tests can kill.

Where the model lacks a rule or is more lenient than Discord, `model.py` and `rules.py`
correct it. An unknown request is answered with 501 and fails the test.

Facts are cited by section of the project's sheet on the platforms ("B4").
Nothing in the product knows that this exists.
"""

from tests.emulators.discord.emulator import DiscordEmulator as DiscordEmulator
