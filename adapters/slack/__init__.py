"""Slack: Socket Mode in, chat.postMessage and chat.update out.

`events` and `mrkdwn` are pure; `client` is the one place that knows the SDK's
errors; `surface` writes a reply; `adapter` listens. Importing this package, or
`config`, does not import the SDK.
"""
