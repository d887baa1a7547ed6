"""Work that pages start and that outlives them.

May import ``session`` and ``server``.
"""
