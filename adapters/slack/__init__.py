"""Slack: Socket Mode in, the Web API out.

In: events, slash commands, shortcuts and forms, acknowledged once they are stored. Out:
messages that are edited or streamed, windows, the Home tab. Only `client` handles the
SDK's errors. Importing this package, or `config`, does not import the SDK.
"""
