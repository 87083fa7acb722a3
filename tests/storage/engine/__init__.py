"""Tests of what wakes processes that share a PostgreSQL database."""
