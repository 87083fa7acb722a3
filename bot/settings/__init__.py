"""Settings: what can be set, how values are parsed, what applies, who may change it.

In: stored values, the operator's defaults, what a person wrote. Out: canonical values,
`EffectiveSettings` of a scope, YAML for import and export. Only `SettingsAccess` reads
the store and asks adapters about people; the rest is pure.
"""
