"""Promptreel's library: packages only; each package's ``__init__`` says what it is for and what it may import.

Order, as import-linter checks it (each may import what stands below; ``|``: they don't know each other)::

    ui | cli                                 the dashboard; the command line
    services                                 use cases without a page
    hosted                                   the hosted service's jobs and results
    ingest                                   video -> engine -> store
    store                                    what is kept on disk
    engines | media                          pictures and texts -> vectors; a file -> frames
    infra                                    HTTP and whole-or-nothing files
    report                                   one HTML file for people without Promptreel
    charts                                   tables -> Altair; arrays for the player
    comparison | evaluation | search         what follows from analyses
    analysis                                 vectors -> scores -> segments -> metrics
    prompts | ground_truth                   what is looked for; what is really there
    core                                     errors, time, samples, intervals, validation

``core`` to ``report`` are pure: no Streamlit, no files, no network. ``infra`` to ``hosted`` know nothing of the pure
packages above ``core``; both meet in ``services``, ``cli`` and ``ui``.

Conventions
-----------
* Time is in seconds (float64) at every public boundary: the presentation time a browser's player shows.
* Vectors are float32, one row per sample or text, of unit length: ``(n, d)``.
* Scores are float64 ``(n, p)``: row = sample, column = prompt, in the prompt set's order.
* Intervals are half-open, ``[start, end)``.
* Pictures are uint8 ``(height, width, 3)``, RGB.
"""

__version__ = "0.1.0"
