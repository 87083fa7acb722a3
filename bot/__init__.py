"""The core of Threadkeep: knows no platform, no SQL and no HTTP."""
