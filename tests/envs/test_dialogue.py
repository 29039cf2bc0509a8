"""What is special to dialogues: against the plain loop, turns by hand, ends, and mishearing."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.dialogue import PlainBookingDialogue

import creative_rl as crl
from creative_rl.envs.dialogue import BookingDialogue
from creative_rl.learners import rule_policy
from creative_rl.ops import dialogue
from creative_rl.ops.dialogue import AFFIRM, CLOSE, DENY, INFORM, REQUEST, THANKS
from creative_rl.stores.knowledge_base import KnowledgeBase

NUM = 24
ENV = BookingDialogue(num_rows=40, max_turn=16)
PARAMS = ENV.default_params
S, K = ENV.num_slots, ENV.num_known
REQUEST_OF, INFORM_OF = range(S), range(S, S + K)
CONFIRM, BOOK, GOODBYE = S + K, S + K + 1, S + K + 2
MOVIE, THEATER, CITY, DATE, TIME, GENRE, FORMAT, RATING, PRICE, PEOPLE = range(S)


@functools.partial(jax.jit, static_argnums=0)
def played(env, params, key, share):
    """Episodes [B, T] of the rule, with a share of random actions that the mask allows."""

    def episode(key):
        key_reset, key_steps = jax.random.split(key)
        start = env.reset(key_reset, params)

        def step(carry, key):
            state, timestep = carry
            key_choice, key_which = jax.random.split(key)
            logits = jnp.where(timestep.action_mask, 0.0, -1e9)
            drawn = jax.random.categorical(key_which, logits).astype(jnp.int32)
            is_random = jax.random.uniform(key_choice) < share
            action = jnp.where(is_random, drawn, env.rule_action(timestep.observation))
            carry = env.step(key, state, action, params)
            return carry, (action, carry[1])

        (last, _), (actions, timesteps) = jax.lax.scan(
            step, start, jax.random.split(key_steps, env.num_steps)
        )
        return start, last, actions, timesteps, env.work(last, params)

    return jax.device_get(jax.vmap(episode)(jax.random.split(key, NUM)))


@pytest.mark.parametrize("share", [0.15, 0.6])
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_whole_dialogues_are_those_of_the_plain_loop(rate, share):
    params = PARAMS.replace(slot_error=jnp.float32(rate), intent_error=jnp.float32(rate))
    (states, _), _, actions, timesteps, _ = played(ENV, params, jax.random.key(1), share)
    plain = PlainBookingDialogue(ENV)
    plain.error_rate = rate
    outcomes = set()
    for episode in range(NUM):
        plain.start(jax.tree.map(lambda leaf, e=episode: leaf[e], states))
        for step in range(ENV.num_steps):
            observation, reward, is_over = plain.step(int(actions[episode, step]))
            for name, value in observation.items():
                found = timesteps.observation[name][episode, step]
                np.testing.assert_allclose(found, value, atol=1e-6, err_msg=name)
            assert timesteps.reward[episode, step] == reward
            assert timesteps.ended[episode, step] == is_over
            if is_over:
                outcomes.add(reward)
                break
        assert is_over
    assert outcomes >= ({32.0} if share < 0.5 else {-16.0})


# Turns by hand.


class Told:
    """One dialogue with a goal of the test's own, turn by turn."""

    def __init__(self, goal, wishes, params=PARAMS, row=0, noise=0):
        codes = np.asarray(params.base.codes[row])
        values = [goal.get(slot, -1) for slot in range(S)]
        for slot, value in goal.items():
            values[slot] = int(codes[slot]) if value is None else value
        flags = [[slot in slots for slot in range(S)] for slots in (goal, wishes)]
        constraints, requests = (jnp.array(row) for row in flags)
        agenda = jnp.arange(S, 0, -1, dtype=jnp.int32)  # in order of the slots
        user = dialogue.new_user(constraints, requests, jnp.array(values, jnp.int32), agenda)
        self.state, _, _ = ENV._begin(user, jnp.uint32(noise), params)
        self.params, self.values = params, values

    def say(self, action):
        """Intent, informed values and requested slots of the reply."""
        self.state, self.timestep = STEP(self.state, action, self.params)
        return self.heard()

    def timestep_mask(self):
        return ENV.action_mask(self.state, self.params)

    def heard(self):
        act = jax.device_get(self.state.heard)
        informed = {int(s): int(act.values[s]) for s in np.flatnonzero(act.informed)}
        return int(act.intent), informed, np.flatnonzero(act.requested).tolist()


STEP = jax.jit(lambda state, action, params: ENV.step(jax.random.key(0), state, action, params))
GOAL = {MOVIE: None, CITY: None, DATE: None, PEOPLE: 2}


def test_a_good_dialogue_by_hand():
    told = Told(GOAL, {TIME, PRICE})
    movie, city, date = (told.values[slot] for slot in (MOVIE, CITY, DATE))
    assert told.heard() == (REQUEST, {MOVIE: movie}, [TIME])
    assert told.say(REQUEST_OF[CITY]) == (INFORM, {CITY: city}, [])
    assert told.say(REQUEST_OF[GENRE]) == (INFORM, {GENRE: dialogue.ANY}, [])
    # What the user asks for comes back, with all that is untold.
    assert told.say(REQUEST_OF[PRICE]) == (REQUEST, {DATE: date, PEOPLE: 2}, [PRICE])
    row = told.params.base.codes[0]
    assert told.say(INFORM_OF[PRICE]) == (REQUEST, {}, [TIME])
    assert told.state.belief.known[PRICE] == row[PRICE]
    assert told.say(INFORM_OF[TIME]) == (REQUEST, {}, [S])  # the ticket
    assert told.say(CONFIRM) == (AFFIRM, {}, [S])
    assert told.say(BOOK) == (THANKS, {}, [])
    assert told.timestep.reward == -1 and not told.timestep.ended
    told.say(GOODBYE)
    assert told.timestep.reward == 32 and told.timestep.terminated
    assert told.state.outcome == dialogue.SUCCESS and told.heard()[0] == THANKS


def test_a_ticket_without_all_constraints_is_denied():
    told = Told(GOAL, {})
    assert told.heard() == (REQUEST, {MOVIE: told.values[MOVIE]}, [S])
    assert told.say(BOOK) == (DENY, {}, [])
    assert told.say(GOODBYE)[0] == DENY
    assert told.timestep.reward == -16 and told.timestep.terminated


def test_a_wrong_proposal_is_corrected_and_a_right_one_taken():
    told = Told(GOAL, {TIME})
    date = told.values[DATE]
    proposed = told.say(INFORM_OF[DATE])
    first = int(np.flatnonzero(np.asarray(PARAMS.base.codes[:, MOVIE]) == told.values[MOVIE])[0])
    if PARAMS.base.codes[first, DATE] == date:
        assert proposed[2] == [TIME]
    else:
        assert proposed == (INFORM, {DATE: date}, [TIME])
    assert not told.state.user.untold[DATE]
    assert told.say(INFORM_OF[MOVIE]) == (REQUEST, {}, [TIME])  # what was said, said again


def test_a_good_ticket_with_a_question_left_is_no_success():
    told = Told({PEOPLE: 1}, {PRICE})
    told.say(BOOK)
    assert told.state.user.is_booked and told.heard() == (REQUEST, {}, [PRICE])
    told.say(GOODBYE)
    assert told.state.outcome == dialogue.FAILURE


def test_the_time_ends_a_dialogue_as_a_failure():
    told = Told(GOAL, {TIME})
    for _ in range(ENV.num_steps - 1):
        told.say(REQUEST_OF[RATING])
        assert not told.timestep.ended
    assert told.say(REQUEST_OF[RATING])[0] == CLOSE
    assert told.timestep.terminated and told.timestep.reward == -16
    last = Told({PEOPLE: 1}, {})
    for action in [*[REQUEST_OF[RATING]] * (ENV.num_steps - 2), BOOK, GOODBYE]:
        last.say(action)
    assert last.state.outcome == dialogue.SUCCESS  # the last turn may close


def test_what_was_misheard_is_read_back_and_mended():
    told = Told(GOAL, {TIME})
    movie = told.values[MOVIE]
    wrong = told.state.belief.known.at[MOVIE].set((movie + 1) % 12).at[RATING].set(0)
    belief = told.state.belief.replace(
        known=wrong, told=told.state.belief.told.at[RATING].set(True)
    )
    told.state = told.state.replace(belief=belief)
    assert told.say(CONFIRM) == (INFORM, {MOVIE: movie, RATING: dialogue.ANY}, [TIME])
    forgotten = told.state.belief.known.at[MOVIE].set(-1)
    told.state = told.state.replace(belief=told.state.belief.replace(known=forgotten))
    assert told.say(CONFIRM) == (INFORM, {MOVIE: movie}, [TIME])
    assert told.say(CONFIRM)[0] == AFFIRM


def test_proposals_that_fit_no_more_are_told_anew_from_one_row():
    codes = np.zeros((3, S), np.int32)
    codes[:, [MOVIE, THEATER, PRICE]] = [[0, 0, 0], [0, 1, 1], [1, 2, 2]]
    codes[:, PEOPLE] = -1
    base = KnowledgeBase.create(codes, tuple(len(words) for words in ENV.table.words))
    told = Told({MOVIE: 0, THEATER: 1}, {PRICE}, PARAMS.replace(base=base))
    assert told.heard() == (REQUEST, {MOVIE: 0}, [PRICE])
    known = told.state.belief.known.at[THEATER].set(2).at[PRICE].set(2)  # of the third row
    told.state = told.state.replace(belief=told.state.belief.replace(known=known))
    assert not told.timestep_mask()[BOOK]
    # Both from the first row; the user wants another theater.
    assert told.say(INFORM_OF[PRICE]) == (INFORM, {THEATER: 1}, [])
    assert told.state.belief.known[jnp.array([THEATER, PRICE])].tolist() == [1, 0]
    assert told.say(INFORM_OF[PRICE]) == (REQUEST, {}, [S])
    assert told.state.belief.known[PRICE] == 1 and told.timestep_mask()[BOOK]


# Mishearing.


def test_errors_come_at_their_rates():
    env = BookingDialogue(num_rows=40, max_turn=16, error_rate=0.3)
    works = [played(env, env.default_params, jax.random.key(seed), 0.5)[-1] for seed in range(4)]
    work = jax.tree.map(lambda *leaves: np.concatenate(leaves), *works)
    is_users = np.arange(work.intents.shape[1]) % 2 == 0
    is_said = (np.arange(work.intents.shape[1])[None] < work.length[:, None]) & is_users
    can_err = is_said & (work.intents < CLOSE)
    wrong = (work.intents != work.heard_intents)[can_err]
    assert wrong.mean() == pytest.approx(0.3 * 4 / 5, abs=4 * (0.24 / wrong.size) ** 0.5)
    spoken = (work.values != -1) & is_said[..., None]
    kept = (work.values == work.heard_values)[spoken]
    assert 0.66 < kept.mean() < 0.76
    assert ((work.heard_values != -1) & (work.values == -1))[is_said].any()  # another slot
    assert (spoken & (work.heard_values == -1)).any()  # not heard
    assert (work.intents == work.heard_intents)[:, ~is_users].all()


def test_without_errors_all_is_heard_and_the_rule_never_fails():
    env = crl.make("dialogue")
    episodes = crl.experiment.rollout(
        env, env.default_params, rule_policy(env), (), jax.random.key(0), 64,
        max_steps=env.num_steps,
    )  # fmt: skip
    assert episodes.reward_terms["success"].tolist() == [1] * 64
    np.testing.assert_array_equal(episodes.works.values, episodes.works.heard_values)
    np.testing.assert_array_equal(episodes.works.length, 1 + 2 * episodes.episode_length)


# Where things come from.


def test_a_catalogue_of_ones_own_with_values_that_are_missing(tmp_path):
    path = tmp_path / "places.csv"
    path.write_text("name,food\nBao,asian\nChez Nous,\nOstra,asian\n")
    env = BookingDialogue(catalogue=str(path), max_turn=12)
    assert env.num_slots == 3 and env.action_space.num == 8
    params = env.default_params.replace(request_rate=jnp.float32(0.5))
    (states, _), _, actions, timesteps, works = played(env, params, jax.random.key(3), 0.3)
    plain = PlainBookingDialogue(env)
    for episode in range(NUM):
        plain.start(jax.tree.map(lambda leaf, e=episode: leaf[e], states))
        for step in range(env.num_steps):
            observation, _, is_over = plain.step(int(actions[episode, step]))
            np.testing.assert_allclose(
                timesteps.observation["matches"][episode, step], observation["matches"], atol=1e-6
            )
            if is_over:
                break
    assert works.slots == ("name", "food", "people")
    with pytest.raises(ValueError, match=r"params\.base must have 3 slots, name, food, people"):
        env.reset(jax.random.key(0), PARAMS)


@pytest.mark.parametrize(
    ("keywords", "line"),
    [
        ({"max_turn": 3}, r"max_turn must be a whole number in 4\.\.200, got 3"),
        ({"max_turn": 41}, "max_turn must be even, .* got 41"),
        ({"num_rows": 0}, r"num_rows must be a whole number in 1\.\.4096, got 0"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"error_rate": 1.5}, r"error_rate must be a number in 0\.\.1, got 1\.5"),
    ],
)
def test_what_cannot_be_is_refused(keywords, line):
    with pytest.raises(ValueError, match=f"BookingDialogue: {line}"):
        BookingDialogue(**keywords)


def test_an_environment_without_a_rule_says_so():
    with pytest.raises(ValueError, match="VarietyMelody has no rule to act by"):
        rule_policy(crl.make("melody-variety"))
    wrapped = crl.wrappers.EpisodeLog(ENV)
    observation = ENV.observation_space.zeros()
    assert wrapped.rule_action(observation) == ENV.rule_action(observation)
