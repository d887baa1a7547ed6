"""The hosted Video Inference API, and what it computes: jobs, and ``results.json`` made here or elsewhere.

May import ``ingest`` and what stands below it.

::

    api          the service over HTTP: signed upload, start, poll, download
    job_records  jobs under way, kept in the store's folder; never a key, never a signed URL
    jobs         a stored video -> job -> embedding; goes on with a job that was started before
    json_lists   results.json, element by element: memory holds the vectors, never the text
    results      its lists, checked: samples and gaps
    importing    checked results -> store, with pictures where there is a video; all of it or nothing
"""
