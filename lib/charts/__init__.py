"""Tables -> Altair charts, and the arrays that the player draws.

May import every other pure package.
"""
