"""Promptreel from Python: a notebook or a program over the same store and numbers as the dashboard and the commands.

::

    from lib import api

    library = api.Library()                                     # PROMPTREEL_HOME, with the demo model
    clip = library.embed("sample_videos/five_scenes.mp4")       # embeds what is missing, with progress
    found = clip.analyse(api.read_prompts("sample_videos/five_scenes.prompts.yaml"))
    found                                                       # in a notebook: the answers as a table
    found.segments                                              # a data frame
    found.scores_chart()                                        # an Altair chart

Conventions: times are presentation times in seconds (float64), intervals are half-open ``[start_s, end_s)``, scores
have the unit of the settings' score, and tables are pandas data frames unless said otherwise. Whatever can be wrong
with what is given raises a ``PromptreelError`` whose text is one sentence for people; what is only worth knowing is a
warning (``PromptreelWarning``). Safe to use from one thread; several processes may share a library.

May import everything but ``ui`` and ``cli``.
"""

from lib.api.files import PromptreelWarning, parse_prompts, prompt_set, read_prompts
from lib.api.library import Embedding, Library
from lib.api.results import Comparison, Evaluation, Moments, Result, compare
from lib.core.errors import Cancelled, PromptreelError
from lib.core.labelled_intervals import TrueSegment
from lib.core.sampling import Sampling
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing
from lib.services.exports import FORMATS as _FORMATS
from lib.store.videos import Video

FORMATS = {name: kind.title for name, kind in _FORMATS.items()}
"""What ``Result.export`` writes: name -> what it is."""

__all__ = [
    "FORMATS",
    "Cancelled",
    "Comparison",
    "Embedding",
    "Evaluation",
    "Library",
    "Moments",
    "Prompt",
    "PromptSet",
    "PromptreelError",
    "PromptreelWarning",
    "Result",
    "Sampling",
    "Settings",
    "Smoothing",
    "TrueSegment",
    "Video",
    "compare",
    "parse_prompts",
    "prompt_set",
    "read_prompts",
]
