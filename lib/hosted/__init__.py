"""The hosted Video Inference API, and what it computes: jobs, and ``results.json`` made here or elsewhere.

::

    api      the service over HTTP: signed upload, start, poll, download
    records  jobs under way, kept in the store's folder; never a key, never a signed URL
    jobs     a stored video -> job -> embedding; goes on with a job that was started before
    reading  results.json, element by element: memory holds the vectors, never the text
    results  its lists, checked: samples and gaps
    taking   checked results -> store, with pictures where there is a video; all of it or nothing
"""


class CancelledError(Exception):
    """Something of this package stopped because it was asked to; its text says what is kept."""
