"""The commands of ``python -m lib``, one module each; ``shared`` has what they have in common.

A module has ``add(commands, options)``: it adds its parser (with ``parents=[options]`` where it takes an engine and a
sampling) and sets ``run``, a function of the arguments and a ``shared.Context`` that returns the exit status.
"""
