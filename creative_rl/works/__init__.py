"""What comes out of an episode: pytrees that one can hear, see and open in other programs.

>>> from creative_rl import works
>>> works.load("none.gif")
Traceback (most recent call last):
...
ValueError: works are read from .mid, .json, .png, .txt, got 'none.gif'
"""

from creative_rl.works.batches import unbatch
from creative_rl.works.canvas import Canvas
from creative_rl.works.dialogue import Dialogue
from creative_rl.works.files import load, save, suffixes, text
from creative_rl.works.melody import Melody
from creative_rl.works.notation import parse
from creative_rl.works.score import Score
from creative_rl.works.slate import Slate
from creative_rl.works.walk import Walk

__all__ = [
    "Canvas",
    "Dialogue",
    "Melody",
    "Score",
    "Slate",
    "Walk",
    "load",
    "parse",
    "save",
    "suffixes",
    "text",
    "unbatch",
]
