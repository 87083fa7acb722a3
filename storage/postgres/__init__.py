"""The store's database on a PostgreSQL server.

Rule: the functions that carry out a verb are those that serve SQLite. Here is what they
run on: connections, threads, errors, and the schema. Nothing is imported from here by
name, so that Threadkeep runs where psycopg is not installed.
"""
