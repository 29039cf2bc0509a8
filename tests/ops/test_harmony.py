"""Chord codes: their pitch classes, roots and symbols, against music21's reading of the symbols."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.ops import harmony

CODES = jnp.arange(harmony.NUM_CHORDS, dtype=jnp.int32)


def classes(mask):
    return {pitch_class for pitch_class in range(12) if mask >> pitch_class & 1}


def test_masks_and_roots_by_hand():
    masks, roots = jax.jit(jax.vmap(lambda c: (harmony.chord_mask(c), harmony.root(c))))(CODES)
    assert masks.dtype == roots.dtype == jnp.int32
    expected = {
        "": set(),
        "C": {0, 4, 7},
        "Am7": {9, 0, 4, 7},
        "Bdim": {11, 2, 5},
        "G7": {7, 11, 2, 5},
    }
    for name, pitch_classes in expected.items():
        code = harmony.chord_code(name) if name else 0
        assert classes(int(masks[code])) == pitch_classes, name
    np.testing.assert_array_equal(roots[:14], [-1, *range(12), 0])
    sizes = [bin(mask).count("1") for mask in masks.tolist()]
    assert sizes == [0] + 36 * [3] + 24 * [4]
    assert all(mask < 1 << 12 for mask in masks.tolist())


def test_codes_out_of_range_are_the_nearest():
    assert harmony.chord_mask(jnp.int32(-5)) == 0
    assert harmony.chord_mask(jnp.int32(99)) == harmony.chord_mask(CODES[-1])


def test_symbols_and_codes_are_inverse():
    symbols = [harmony.symbol(code) for code in range(harmony.NUM_CHORDS)]
    assert len(set(symbols)) == harmony.NUM_CHORDS
    assert [harmony.chord_code(name) for name in symbols[1:]] == list(range(1, harmony.NUM_CHORDS))
    assert harmony.chord_code("A#m7") == harmony.chord_code("Bbm7")
    assert harmony.chord_code("Cb") == harmony.chord_code("B")


def test_music21_hears_the_same_pitch_classes():
    music21_harmony = pytest.importorskip("music21.harmony")
    for code in range(1, harmony.NUM_CHORDS):
        name = harmony.symbol(code)
        spelled = name[0] + name[1:].replace("b", "-", 1)  # music21's flats
        heard = music21_harmony.ChordSymbol(spelled).pitchClasses
        assert classes(int(harmony._MASKS[code])) == set(heard), name


def test_refusals():
    for code in (-1, harmony.NUM_CHORDS):
        with pytest.raises(ValueError, match=f"codes in 0..60, got {code}"):
            harmony.symbol(code)
    for name in ("", "H", "Cmaj7", "c", "C##", "Amin"):
        with pytest.raises(ValueError, match="a chord symbol is"):
            harmony.chord_code(name)
