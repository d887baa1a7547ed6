"""Promptreel's library: the map and the conventions, nothing else.

Map
---
Shared by both sides: ``errors``, ``timebase``, ``samples``, ``truth``, ``checks``.
I/O side, each importing only what stands left of it: ``video`` (on ``containers``, ``media``, ``picture``,
``decoding``) <- ``proxy``; ``engines``; ``store`` <- ``ingest`` <- ``hosted``.
Pure side, likewise: ``prompts`` (on ``prompt_files``) <- ``scoring`` <- ``segments`` <- ``metrics`` <- ``analysis``
<- ``comparison`` (on ``wording``) <- ``evaluation`` (on ``alignment``, ``matching``) <- ``bootstrap``, ``thresholds``
(on ``threshold_search``, ``score_split``) <- ``charts`` (on ``chart_data``, ``chart_layers``, ``chart_templates``);
``reference`` beside ``comparison``, all on ``timeline``; no Streamlit, no files, no network.
Both meet only in ``ui`` (the dashboard), ``__main__`` and ``commands`` (the command line), ``experiment`` (a stored
video to an analysis) and ``export`` (pictures and clips).

Conventions
-----------
* Time is in seconds (float64) at every public boundary: the presentation time a browser's player shows.
* Vectors are float32, one row a sample or a text, of unit length: ``(n, d)``.
* Scores are float64 ``(n, p)``: row = sample, column = prompt, in the prompt set's order.
* Intervals are half-open, ``[start, end)``.
* Pictures are uint8 ``(height, width, 3)``, RGB.
"""
