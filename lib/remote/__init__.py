"""Archives shared through object storage or a folder: finished embeddings are published there, and pulled from there.

May import ``ingest`` and what stands below it.

::

    storage      an address -> list, read, download, conditional writes; errors as sentences without keys
    records      the layout, and the document of a published embedding, checked
    tables       tables of samples there: made whole in one step, read in order
    videos       files of videos: copied there and from there, or noted where they stay
    publishing   an embedding of a store -> there, once, whoever else tries
    pulling      there -> a store, whole or not at all, its hash checked
"""
