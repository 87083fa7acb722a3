"""Discord: the gateway and interactions in, the REST API out.

In: messages, commands, controls and forms. Out: threads, messages that are edited, and
responses to interactions. Only `client` handles the SDK's errors. Importing this
package, or `config`, does not import the SDK.
"""
