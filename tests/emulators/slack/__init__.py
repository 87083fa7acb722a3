"""Slack on loopback: its Web API and Socket Mode, for the real SDKs.

Facts are cited by section of the project's sheet on the platforms ("A5.3").
Nothing in the product knows that this exists.
"""

from tests.emulators.slack.emulator import SlackEmulator as SlackEmulator
