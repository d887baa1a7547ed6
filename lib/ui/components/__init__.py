"""Browser components in plain HTML, CSS and JavaScript, without a build step.

May import ``background``, ``session`` and ``server``.
"""
