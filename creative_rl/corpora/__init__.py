"""Real data sets as arrays: melodies and chorales, from music21's corpus or MIDI files, pictures,
and texts."""

from creative_rl.corpora.chorale_windows import ChoraleCorpus, ChoraleWindows, load_chorales
from creative_rl.corpora.corpus import Corpus, load
from creative_rl.corpora.pictures import load_pictures
from creative_rl.corpora.texts import TextCorpus, load_text

__all__ = [
    "ChoraleCorpus",
    "ChoraleWindows",
    "Corpus",
    "TextCorpus",
    "load",
    "load_chorales",
    "load_pictures",
    "load_text",
]
