"""Real melodies as arrays, read from music21's corpus or from a directory of MIDI files."""

from creative_rl.corpora.corpus import Corpus, load

__all__ = ["Corpus", "load"]
