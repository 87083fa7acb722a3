"""Tests of docs/security.md: limits on one person, one channel or one text, by kind of
fault."""
