"""What comes out of an episode: pytrees that one can hear, see and open in other programs.

>>> from creative_rl import works
>>> works.load("none.doc")
Traceback (most recent call last):
...
ValueError: works are read from .mid, .json, .png, .txt, got 'none.doc'
"""

from creative_rl.works.animation import Animation
from creative_rl.works.batches import unbatch
from creative_rl.works.canvas import Canvas
from creative_rl.works.clip import Clip
from creative_rl.works.dialogue import Dialogue
from creative_rl.works.files import load, save, suffixes, text
from creative_rl.works.level import Level
from creative_rl.works.melody import Melody
from creative_rl.works.notation import parse
from creative_rl.works.score import Score
from creative_rl.works.sculpture import Sculpture
from creative_rl.works.slate import Slate
from creative_rl.works.vocabulary import Vocabulary
from creative_rl.works.walk import Walk
from creative_rl.works.writing import Text

__all__ = [
    "Animation",
    "Canvas",
    "Clip",
    "Dialogue",
    "Level",
    "Melody",
    "Score",
    "Sculpture",
    "Slate",
    "Text",
    "Vocabulary",
    "Walk",
    "load",
    "parse",
    "save",
    "suffixes",
    "text",
    "unbatch",
]
