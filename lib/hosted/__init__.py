"""The hosted Video Inference API, and what it computes: jobs, and ``results.json`` made here or elsewhere.

May import ``ingest`` and what stands below it.

::

    api          the service over HTTP: signed upload, start, poll, download
    job_records  running jobs, on disk in the store's folder, without keys and signed URLs
    upload_body  a file as the body of a request
    jobs         a stored video -> job -> embedding; resumes a job that was started before
    json_lists   results.json, element by element: memory holds the vectors, not the text
    results      its lists, checked: samples and gaps
    importing    checked results -> store, with pictures where there is a video; all of it or nothing
"""
