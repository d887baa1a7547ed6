"""The commands of ``python -m lib``, one module per command, and what they print.

May import everything but ``ui``.
"""
