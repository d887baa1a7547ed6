"""HTTP with retries, redaction of keys, and atomic writes.

May import ``core``.
"""
