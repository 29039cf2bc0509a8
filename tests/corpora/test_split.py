import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.corpora import split

names = st.sets(st.text("abcdefgh/ .", min_size=1, max_size=8), min_size=2, max_size=40)


def alone(names):
    return {name: name for name in names}


@given(names, st.floats(0.05, 0.5), st.integers(0, 5))
@settings(deadline=None)
def test_both_parts_have_something_and_the_order_does_not_matter(names, share, seed):
    chosen = split.held_out_names(alone(sorted(names)), share, seed)
    assert 0 < len(chosen) < len(names) and chosen <= names
    assert chosen == split.held_out_names(alone(sorted(names, reverse=True)), share, seed)


def test_other_pieces_do_not_change_a_piece_s_side():
    few = [f"tune {i}" for i in range(200)]
    many = few + [f"other {i}" for i in range(300)]
    chosen = split.held_out_names(alone(few), 0.1, 0)
    assert chosen == split.held_out_names(alone(many), 0.1, 0) & set(few)
    assert 10 <= len(chosen) <= 32  # 20 expected, four standard deviations are 17
    assert chosen != split.held_out_names(alone(few), 0.1, 1)


def test_the_draw_is_fixed_for_ever():
    # The first six bytes of BLAKE2b with a digest of six, of the seed, a zero and the name.
    assert split.draw("bach-sopranos/bwv66.6", 0) == pytest.approx(0.33890939317269186, abs=1e-9)


def test_versions_of_a_tune_are_on_one_side():
    row = lambda *codes: np.array([codes], np.uint8)  # noqa: E731
    phrases = {
        "c": np.concatenate([row(1, 2), row(3, 4)]),
        "a": row(3, 4),
        "b": row(1, 2),
        "d": row(5, 6),
        "e": np.zeros((0, 2), np.uint8),
    }
    family_of = split.families(phrases)
    assert family_of == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "e"}
    for seed in range(20):
        chosen = split.held_out_names(family_of, 0.5, seed)
        assert chosen & {"a", "b", "c"} in (set(), {"a", "b", "c"})


def test_a_share_of_zero_holds_nothing_out():
    assert split.held_out_names(alone("ab"), 0.0, 0) == set()
