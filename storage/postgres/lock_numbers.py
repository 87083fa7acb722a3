"""The numbers of the locks that PostgreSQL holds for us.

Rule: each is in this one list, so that no two uses share one.
"""

# Tells our locks from those of other programs that use the same database: the first
# four letters of "threadkeep".
OURS = 0x74687265

#: Held while the schema is changed; shared while it is looked at.
SCHEMA = 1

#: Held shared by every process that runs; held alone while everything is moved.
RUNNING = 2

#: Held while the index of words is changed, to the end of that transaction.
INDEX = 3

#: Held by the one process that looks after the others.
REAPER = 5

#: The first half of the lock that each process holds; the other is made of its id.
PROCESSES = OURS + 1
