"""Real data sets as arrays: melodies, from music21's corpus or MIDI files, and pictures."""

from creative_rl.corpora.corpus import Corpus, load
from creative_rl.corpora.pictures import load_pictures

__all__ = ["Corpus", "load", "load_pictures"]
