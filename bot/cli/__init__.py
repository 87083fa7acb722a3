"""The command line of operators. Chooses the adapters, the store and the model."""
