"""Reports for people without Promptreel: one HTML file of a video, of a comparison, or of an archive's categories.

``video``, ``comparison`` and ``archive`` say what is in a report, as the plain blocks of ``blocks``; ``rendering``
makes the file of them. Pictures come as bytes, and Vega from a package: no file or network is touched. May import
every other pure package.
"""
