"""A corpus of melodies: windows of events, split so that no tune is in both parts."""

import dataclasses
import logging
import os
import pathlib

import jax.numpy as jnp
import numpy as np

from creative_rl.corpora import cache, sources, split, windows
from creative_rl.corpora.score import Unusable
from creative_rl.corpora.tunes import Tune
from creative_rl.stores.sequences import Sequences
from creative_rl.typing import Array

_LOG = logging.getLogger(__name__)
_SHOWN = 3  # skipped pieces named in the log
_PHRASE = 32  # events in common, and one, that make two pieces versions of one tune


@dataclasses.dataclass(frozen=True, eq=False)
class Corpus:
    """Real melodies to learn from.

    Attributes:
      sequences: `train` and `held_out`, uint8[N, length + 1] each; codes as in
        `ops.events`: 0 note-off, 1 hold, `2 + k` the pitch MIDI 48 + k, k in 0..35.
      train_names: pieces in `sequences.train`, in order of their windows.
      train_pieces: the same pieces whole, uint8[L] each, in the same codes and keys.
      held_out_names: pieces in `sequences.held_out`, in order of their windows.
      skipped: (name, reason) of every piece that is in neither.
      source: what was asked for.
    """

    sequences: Sequences
    train_names: tuple[str, ...]
    train_pieces: tuple[np.ndarray, ...]
    held_out_names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    source: str

    def __repr__(self) -> str:
        return (
            f"Corpus({self.source!r}: {len(self.train_names)} pieces, "
            f"{len(self.sequences.train)} windows to train on; {len(self.held_out_names)} pieces, "
            f"{len(self.sequences.held_out)} windows held out; {len(self.skipped)} pieces skipped)"
        )


def load(
    source: str | os.PathLike = "default",
    *,
    length: int = 32,
    held_out: float = 0.1,
    seed: int = 0,
    cache_dir: str | os.PathLike | None = None,
    transpose: bool = True,
) -> Corpus:
    """Melodies on a grid of sixteenth notes, as windows of events.

    | source | what |
    |---|---|
    | `ryans-mammoth` | fiddle tunes of Ryan's Mammoth Collection, Boston 1883 (needs music21) |
    | `bach-sopranos` | soprano lines of Bach's chorales (needs music21) |
    | `default` | both |
    | a directory | the user's MIDI files in it and below, each file's highest voice (needs mido) |

    `default` is the choice that is safe to use: the music is in the public domain, and the
    encodings are inside music21, which is allowed to distribute them and marks neither folder as
    restricted. Its largest collection of folk songs, Essen, is left out, because those encodings
    are for non-commercial use only. No corpus comes with this package: the arrays are made from
    the user's own copy and kept in the user's cache folder.

    A piece is rounded to the grid, transposed to C major or A minor (by its key signature, whose
    modes land on the white notes too; by its notes where it has none), moved by octaves into MIDI
    48 to 83, and cut into windows that start on downbeats (`windows.cut`). Repeats are not
    expanded. A note before a silence is its pitch, 1s, one 0 on the step after it, and 1s again.
    Of pieces that are the same events, the first stays.

    Args:
      source: a name from the table or the path of a directory.
      length: events to predict in a window, at least 1; windows are one longer.
      held_out: share of tunes held out, in [0, 1). A tune's side depends on its name and `seed`
        alone, so that other pieces do not change it; pieces with a phrase of 32 events in common
        are versions of one tune and on one side (`split`).
      seed: another one gives another split.
      cache_dir: where tunes are kept between calls; None for `$XDG_CACHE_HOME/creative_rl/corpora`,
        or `~/.cache/creative_rl/corpora` where that is not set.
      transpose: False leaves every piece in its own key.

    Raises:
      ValueError: an argument is out of range, the source is unknown or cannot be read, or
        nothing in it is usable.
      ImportError: the source needs a library that is not installed.
    """
    _check_arguments(length, held_out)
    folder = pathlib.Path(cache_dir).expanduser() if cache_dir else cache.default_folder()
    tunes, skipped = sources.tunes_of(source, folder)
    usable, unfit = _usable(tunes, length, transpose)
    skipped = skipped + unfit
    _log_skipped(source, skipped, len(usable))
    if not usable:
        raise ValueError(_nothing_usable(source, length, skipped))
    family_of = split.families(
        {name: windows.cut(tune.events, tune.starts, _PHRASE) for name, tune in usable.items()}
    )
    if held_out > 0 and len(set(family_of.values())) == 1:
        raise ValueError(
            f"{source}: nothing can be held out of one tune, and its usable pieces "
            f"({len(usable)}) are one; add other tunes (to read them without a split: "
            "corpora.load(..., held_out=0))"
        )
    kept_back = split.held_out_names(family_of, held_out, seed)
    train_names = tuple(name for name in usable if name not in kept_back)
    held_out_names = tuple(name for name in usable if name in kept_back)
    return Corpus(
        sequences=Sequences(
            train=_windows([usable[name] for name in train_names], length),
            held_out=_windows([usable[name] for name in held_out_names], length),
        ),
        train_names=train_names,
        train_pieces=tuple(usable[name].events for name in train_names),
        held_out_names=held_out_names,
        skipped=tuple(skipped),
        source=str(source),
    )


def _check_arguments(length: int, held_out: float) -> None:
    if length < 1:
        raise ValueError(f"load: length must be at least 1 event, got {length}")
    if not 0 <= held_out < 1:
        raise ValueError(f"load: held_out is a share of tunes in [0, 1), got {held_out}")


def _usable(
    tunes: list[Tune], length: int, transpose: bool
) -> tuple[dict[str, Tune], list[tuple[str, str]]]:
    """Tunes by name, in order of it, with events in 0..37; and those left out, with the reason."""
    usable: dict[str, Tune] = {}
    skipped = []
    first_with: dict[bytes, str] = {}
    for tune in sorted(tunes, key=lambda tune: tune.name):
        try:
            tune = tune._replace(events=windows.fitted(tune, transpose))
            twin = first_with.setdefault(tune.events.tobytes(), tune.name)
            if twin != tune.name:
                raise Unusable(f"it is the same, event by event, as {twin}")
            if not len(windows.cut(tune.events, tune.starts, length)):
                raise Unusable(f"no downbeat in it has a note and {length} events after it")
            usable[tune.name] = tune
        except Unusable as error:
            skipped.append((tune.name, str(error)))
    return usable, skipped


def _log_skipped(source: str | os.PathLike, skipped: list[tuple[str, str]], num_kept: int) -> None:
    if skipped:
        level = logging.INFO if source in sources.NAMES else logging.WARNING  # what can be mended
        _LOG.log(
            level,
            "%s: %d of %d pieces skipped, with their reasons in Corpus.skipped; first %s",
            source,
            len(skipped),
            len(skipped) + num_kept,
            _first_of(skipped),
        )


def _nothing_usable(source: str | os.PathLike, length: int, skipped: list[tuple[str, str]]) -> str:
    return (
        f"{source}: none of its {len(skipped)} pieces is usable at length {length} "
        f"({_first_of(skipped)}); give other files, a smaller length, or one of "
        f"{', '.join(sources.NAMES)}"
    )


def _first_of(skipped: list[tuple[str, str]]) -> str:
    shown = [f"{name}: {reason}" for name, reason in skipped[:_SHOWN]]
    return "; ".join(shown + ["..."] * (len(skipped) > _SHOWN))


def _windows(tunes: list[Tune], length: int) -> Array:
    """uint8[N, length + 1] of all tunes, N possibly zero."""
    cuts = [windows.cut(tune.events, tune.starts, length) for tune in tunes]
    return jnp.asarray(np.concatenate([np.zeros((0, length + 1), np.uint8), *cuts]))
