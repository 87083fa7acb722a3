"""Where threads are remembered. Knows the core; no adapter knows it."""
