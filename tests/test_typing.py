import jax
import jax.numpy as jnp
import pytest

from creative_rl.typing import Term, Timestep, as_key


def test_raw_and_typed_keys_are_the_same_key():
    typed = jax.random.key(7)
    assert as_key(typed) is typed
    raw = jax.random.key_data(typed)
    assert raw.dtype == jnp.uint32
    assert jax.random.bits(as_key(raw)) == jax.random.bits(typed)


def test_batches_of_raw_keys_are_wrapped():
    raw = jax.random.key_data(jax.random.split(jax.random.key(0), 3))
    assert as_key(raw).shape == (3,)


@pytest.mark.parametrize(
    ("given", "shown"),
    [(jnp.int32(3), r"int32\[\]"), (jnp.float32([1, 2]), r"float32\[2\]"), (7, "7")],
)
def test_what_is_no_key_is_refused(given, shown):
    with pytest.raises(ValueError, match=rf"a key is made by jax.random.key\(seed\), got {shown}$"):
        as_key(given)


@pytest.mark.parametrize(
    ("terminated", "truncated", "ended"),
    [(False, False, False), (True, False, True), (False, True, True), (True, True, True)],
)
def test_an_episode_ends_for_either_reason(terminated, truncated, ended):
    timestep = Timestep(
        observation=(),
        reward=jnp.float32(0),
        terminated=jnp.bool_(terminated),
        truncated=jnp.bool_(truncated),
        info={},
    )
    assert bool(timestep.ended) is ended


def test_terms_hash_by_value_so_that_environments_share_compilations():
    def fn(seen):
        return jnp.float32(1)

    assert hash(Term("a", fn)) == hash(Term("a", fn)) and Term("a", fn) == Term("a", fn)
    assert Term("a", fn) != Term("a", fn, weight=2.0)
