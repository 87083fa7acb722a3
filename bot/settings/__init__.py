"""Settings: the options, the parsing of values, the values that apply, and who may
change them.

In: stored values, the operator's defaults, a person's text. Out: canonical values,
`EffectiveSettings` of a scope, YAML for import and export. Only `SettingsAccess` reads
the store and asks adapters about people; the rest is pure.
"""
