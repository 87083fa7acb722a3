"""What Claude reads: system prompt, labels, question. Pure."""
