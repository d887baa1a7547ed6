"""A file -> frames with their real times, playable copies, contact sheets and clips.

May import ``infra`` and ``core``.
"""
