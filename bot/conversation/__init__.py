"""A message becomes a turn, and a turn an answer: inbox, dispatcher, admission,
responder."""
