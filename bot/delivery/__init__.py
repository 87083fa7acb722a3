"""When and how the parts of a reply are written, within a platform's rate limits."""
