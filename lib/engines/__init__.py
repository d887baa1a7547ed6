"""What turns pictures and texts into vectors: the inference server, or a model in this process.

May import ``infra`` and ``core``.
"""
