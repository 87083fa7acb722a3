"""From a message to its answer.

The inbox judges and stores a message, the dispatcher runs one turn at a time in each
thread, admission settles who may ask under which settings and cost, the composer builds
the request, the answer writer streams the answer, and the responder takes each turn
through these to its end.

In: messages from adapters. Out: turns in the store, and writes through `bot.delivery`.
"""
