import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete

SPACES = [
    Discrete(5),
    Discrete(1000),
    MultiDiscrete((2, 7, 300)),
    Box(-1.0, 2.0, (3, 2)),
    Box(0, 255, (4, 4), jnp.uint8),
    Box(-jnp.inf, jnp.inf, (2,)),
    Dict({"pen": Discrete(2), "at": Box(0.0, 1.0, (2,))}),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_samples_and_zeros_have_the_spaces_shape_and_lie_inside(space, key):
    samples = space.sample(key, (64,))
    assert bool(jax.vmap(space.contains)(samples).all())
    one = space.sample(key)
    zeros = space.zeros()
    assert jax.tree.map(lambda x: (x.shape, x.dtype), one) == jax.tree.map(
        lambda x: (x.shape, x.dtype), zeros
    )
    assert hash(space) == hash(space)


@pytest.mark.parametrize("num", [2, 38, 256, 300])
def test_discrete_samples_are_uniform(num, key):
    counts = np.bincount(np.asarray(Discrete(num).sample(key, (400 * num,))), minlength=num)
    chi_squared = float(((counts - 400) ** 2 / 400).sum())
    assert chi_squared < num - 1 + 5 * (2 * (num - 1)) ** 0.5


def test_elements_outside_are_told_apart():
    assert not Discrete(3).contains(jnp.int32(-1))
    assert not MultiDiscrete((2, 3)).contains(jnp.array([1, 3]))
    assert not Box(0.0, 1.0, (2,)).contains(jnp.array([0.5, 1.5]))
    space = Dict({"a": Discrete(2), "b": Discrete(3)})
    assert not space.contains({"a": jnp.int32(1), "b": jnp.int32(3)})


def test_equal_spaces_are_one_key_of_a_dict():
    assert len({Discrete(3), Discrete(3), MultiDiscrete([3]), MultiDiscrete((3,))}) == 2
    assert len({Discrete(3), Discrete(3, np.dtype("int32")), Discrete(3, "int32")}) == 1
    assert Box(0, 255, (2,), jnp.uint8) in {Box(0, 255, [2], "uint8")}
    assert Dict({"b": Discrete(2), "a": Discrete(3)}) in {
        Dict((("a", Discrete(3)), ("b", Discrete(2))))
    }


@pytest.mark.parametrize(
    ("space", "text"),
    [
        (Discrete(38), "Discrete(38)"),
        (Discrete(3, jnp.uint8), "Discrete(3, uint8)"),
        (MultiDiscrete((38,) * 8), "MultiDiscrete((38,) * 8)"),
        (MultiDiscrete((2, 3)), "MultiDiscrete((2, 3))"),
        (MultiDiscrete((2,), jnp.int8), "MultiDiscrete((2,), int8)"),
        (Box(0.0, 1.0), "Box(0.0, 1.0, ())"),
        (Box(0, 255, (64, 64, 1), jnp.uint8), "Box(0, 255, (64, 64, 1), uint8)"),
        (
            Dict({"b": Box(-1, 1), "a": Discrete(2)}),
            "Dict({'a': Discrete(2), 'b': Box(-1, 1, ())})",
        ),
    ],
)
def test_spaces_say_what_they_are_in_a_line(space, text):
    assert str(space) == repr(space) == text


def test_a_space_of_a_dict_is_found_by_its_name():
    assert Dict({"pen": Discrete(2), "at": Box(0.0, 1.0)})["pen"] == Discrete(2)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Discrete(0),
        lambda: MultiDiscrete(()),
        lambda: Box(1.0, 0.0),
        lambda: Dict({}),
        lambda: Dict({"a": 3}),
    ],
)
def test_impossible_spaces_are_refused(build):
    with pytest.raises(ValueError, match="must"):
        build()
