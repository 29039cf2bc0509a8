from collections import deque

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.stores.shift_register import ShiftRegister

NUM_PUSHES = 80
PER_WORD = {2: 32, 3: 16, 12: 8, 38: 5, 300: 3, 65536: 2}
SIZES = [
    pytest.param(num_codes, length, id=f"{length} of {num_codes} codes")
    for num_codes, codes in PER_WORD.items()
    for length in sorted({1, codes - 1, codes, codes + 1, 2 * codes, 2 * codes + 1})
]


@jax.jit
def push_all(register, codes):
    """The register after every push, as arrays int32[T, length]."""

    def push(register, code):
        register = register.push(code)
        return register, register.array()

    return jax.lax.scan(push, register, codes)[1]


@pytest.mark.parametrize(("num_codes", "length"), SIZES)
@hypothesis.settings(deadline=None, max_examples=15)
@hypothesis.given(data=st.data())
def test_it_remembers_what_a_deque_remembers(num_codes, length, data):
    top = num_codes - 1
    code = st.one_of(st.integers(0, top), st.sampled_from([0, top]))
    codes = data.draw(st.lists(code, min_size=NUM_PUSHES, max_size=NUM_PUSHES))
    found = push_all(ShiftRegister.create(length, num_codes), jnp.array(codes, jnp.int32))
    memory = deque([0] * length, maxlen=length)
    expected = []
    for code in codes:
        memory.append(code)
        expected.append(list(memory))
    assert np.asarray(found).tolist() == expected


@pytest.mark.parametrize(("num_codes", "per_word"), PER_WORD.items())
def test_codes_are_packed_into_as_few_words_as_they_fit(num_codes, per_word):
    for length in (1, per_word, per_word + 1, 3 * per_word):
        register = ShiftRegister.create(length, num_codes)
        assert register.codes_per_word == per_word
        assert len(register.words) == -(-length // per_word)
        assert all(word.dtype == jnp.uint32 and word.shape == () for word in register.words)


def test_a_new_register_is_all_zeros():
    assert ShiftRegister.create(7, 38).array().tolist() == [0] * 7


def test_lag_counts_back_from_the_newest():
    register = ShiftRegister.create(8, 38)
    for code in (10, 20, 30, 37, 5, 6):  # five codes to a word: the first has moved on
        register = register.push(jnp.int32(code))
    assert [int(register.lag(age)) for age in range(8)] == [6, 5, 37, 30, 20, 10, 0, 0]
    assert register.lag(0).dtype == jnp.int32
    assert register.newest(3).tolist() == [37, 5, 6]


@pytest.mark.parametrize("dtype", [jnp.uint8, jnp.uint16, jnp.int32, jnp.uint32])
def test_codes_of_any_integer_type_are_taken(dtype):
    register = ShiftRegister.create(6, 256).push(dtype(255)).push(dtype(1))
    assert register.array().tolist() == [0, 0, 0, 0, 255, 1]


def test_registers_are_batched_by_vmap():
    codes = jnp.arange(12, dtype=jnp.int32).reshape(4, 3)
    registers = jax.vmap(lambda _: ShiftRegister.create(4, 12))(jnp.arange(4))
    for column in codes.T:
        registers = jax.vmap(ShiftRegister.push)(registers, column)
    found = jax.vmap(ShiftRegister.array)(registers)
    assert found.tolist() == [[0, *row] for row in codes.tolist()]


@pytest.mark.parametrize(("length", "num_codes"), [(0, 12), (-1, 12), (4, 1), (4, 65537)])
def test_bad_sizes_are_refused(length, num_codes):
    message = rf"num_codes in 2\.\.65536, got length={length}, num_codes={num_codes}"
    with pytest.raises(ValueError, match=message):
        ShiftRegister.create(length, num_codes)


@pytest.mark.parametrize("age", [-1, 4])
def test_an_age_out_of_reach_is_refused(age):
    with pytest.raises(ValueError, match=rf"age must be in 0\.\.3, got {age}"):
        ShiftRegister.create(4, 12).lag(age)


def test_a_code_too_wide_spoils_no_other():
    register = ShiftRegister.create(4, 12).push(jnp.int32(5)).push(jnp.int32(-1))
    assert register.array().tolist() == [0, 0, 5, 15]


def test_codes_from_the_start_on_and_which_there_are():
    register = ShiftRegister.create(4, 10)
    for num_pushed, code in enumerate((7, 8, 9)):
        codes, is_there = register.from_start(jnp.int32(num_pushed))
        assert codes[:num_pushed].tolist() == [7, 8, 9][:num_pushed]
        assert is_there.tolist() == [place < num_pushed for place in range(4)]
        register = register.push(jnp.int32(code))
