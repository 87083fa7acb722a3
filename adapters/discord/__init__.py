"""Discord: the gateway and interactions in, messages and edits out.

`markup`, `events`, `drawing` and `parameters` are pure; `client` is the one place that
knows the SDK's errors; `places` finds and makes threads; `surface` writes a reply;
`ears` takes in what people say, `asking` what they ask by command, and `desk` what
they tell the bot to do; `commands` has what they see behind "/", and `people` who they
are; `adapter` puts them together. Importing this package, or `config`, does not import
the SDK.
"""
