"""What a browser tab works on, and what all tabs share in memory.

May import ``server``.
"""
