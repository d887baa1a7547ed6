"""Video -> engine -> store: pipelined, in order, resumable, cancellable.

May import ``store`` and what stands below it.
"""
