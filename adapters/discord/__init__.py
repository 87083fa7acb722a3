"""Discord: the gateway and interactions in, the REST API out.

In: messages, commands, controls and forms. Out: threads, messages that are edited, and
responses to interactions. `client` maps the SDK's errors to ours. Importing this
package, or `config`, does not import the SDK.
"""
