"""Real data sets as arrays: melodies and chorales, from music21's corpus or MIDI files,
pictures, clips, texts, ratings, and what there is to book."""

from creative_rl.corpora.catalogue import Catalogue, load_catalogue
from creative_rl.corpora.chorale_windows import ChoraleCorpus, ChoraleWindows, load_chorales
from creative_rl.corpora.clips import load_clips
from creative_rl.corpora.corpus import Corpus, load
from creative_rl.corpora.pictures import load_pictures
from creative_rl.corpora.ratings import Factors, Ratings, factorise, load_ratings
from creative_rl.corpora.texts import TextCorpus, load_text

__all__ = [
    "Catalogue",
    "ChoraleCorpus",
    "ChoraleWindows",
    "Corpus",
    "Factors",
    "Ratings",
    "TextCorpus",
    "factorise",
    "load",
    "load_catalogue",
    "load_chorales",
    "load_clips",
    "load_pictures",
    "load_ratings",
    "load_text",
]
