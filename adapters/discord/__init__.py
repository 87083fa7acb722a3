"""Discord: the gateway and interactions in, messages and edits out.

`markup` and `events` are pure; `client` is the one place that knows the SDK's
errors; `places` finds and makes threads; `surface` writes a reply; `commands` and
`ears` take in what people say; `adapter` puts them together. Importing this
package, or `config`, does not import the SDK.
"""
