"""What can be set, how it is parsed, what applies in a scope, and who may change it."""
