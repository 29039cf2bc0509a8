"""Music against a clock that the test turns: what is played, when, and what counts as late."""

import jax
import numpy as np
import pytest

from creative_rl import configs, works
from creative_rl.experiment import RunSpec, open_run, opening, performance, start

LENGTH = 5
MELODY = RunSpec(
    "melody-target-tutorial",
    "reinforce",
    configs.ReinforceConfig(num_envs=4, hidden_sizes=(4,)),
    num_updates=1,
)
STEP = 60.0 / 100.0 / 4  # seconds of a sixteenth note


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "melody"
    return start(MELODY, folder, progress=False, loggers=[])[0].path


class Clock:
    """Time passes only while one sleeps, and by `cost` at every look."""

    def __init__(self, cost=0.0):
        self.now, self.cost, self.slept = 10.0, cost, []

    def look(self):
        self.now += self.cost
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def test_every_event_comes_at_its_time_and_is_heard_as_it_is_written(run, tmp_path):
    clock, heard = Clock(), []
    played = performance.perform(
        run, 2, out=tmp_path / "out", listen=heard.append, clock=clock.look, sleep=clock.sleep
    )
    assert len(played.works) == 2 and played.latencies.shape == (2 * LENGTH,)
    assert played.num_late == 0 and (played.latencies == 0).all()
    np.testing.assert_allclose(clock.slept, [0.0] + [STEP] * (2 * LENGTH - 1), atol=1e-9)
    written = " ".join(works.text(work) for work in played.works).replace("| ", "")
    assert " ".join(heard) == written
    for number, work in enumerate(played.works):
        read = works.load(tmp_path / "out" / f"performed-{number:02d}.mid")
        np.testing.assert_array_equal(read.events, work.events)


def test_it_is_compiled_once_and_the_seed_decides(run):
    def events(seed):
        clock = Clock()
        played = performance.perform(run, 3, seed=seed, clock=clock.look, sleep=clock.sleep)
        return np.stack([work.events for work in played.works])

    first = events(0)
    np.testing.assert_array_equal(first, events(0))
    assert (first != events(1)).any()
    assert len(np.unique(first, axis=0)) > 1
    opened = open_run(run)
    start, advance = performance.compiled(opened.env, opened.learner)
    state = opening.seed_state(opening.load_states(opened), 0)
    params = opened.params(state)
    carry, _ = start(jax.random.key(0), params)
    for number in range(3):
        carry, _, _ = advance(state, carry, params, jax.random.key(1), number)
    assert advance._cache_size() == 1


def test_who_is_slower_than_the_beat_is_late(run):
    clock = Clock(cost=0.6 * STEP)  # of each look, of which an event has three
    played = performance.perform(run, 1, clock=clock.look, sleep=clock.sleep)
    assert played.num_late == LENGTH - 1
    np.testing.assert_allclose(played.latencies, 0.6 * STEP)
    said = performance.describe(played)
    assert said == (
        "1 work, 5 events: latency 90.00 ms (median), 90.00 ms (99th percentile); 4 late"
    )


def test_who_is_just_fast_enough_is_not(run):
    clock = Clock(cost=0.2 * STEP)
    played = performance.perform(run, 2, clock=clock.look, sleep=clock.sleep)
    assert played.num_late == 0
    assert performance.describe(played).startswith("2 works, 10 events: ")


def test_an_event_of_several_steps_lasts_as_long(tmp_path):
    chords = RunSpec(
        "chords",
        "reinforce",
        configs.ReinforceConfig(num_envs=4, hidden_sizes=(4,)),
        num_updates=1,
        env_overrides={"length": 4},
    )
    path = start(chords, tmp_path / "chords", progress=False, loggers=[])[0].path
    clock, heard = Clock(), []
    played = performance.perform(path, 1, listen=heard.append, clock=clock.look, sleep=clock.sleep)
    (work,) = played.works
    steps = int(work.length) // 4
    step = 60.0 / work.tempo / work.steps_per_quarter
    np.testing.assert_allclose(clock.slept, [0.0] + [steps * step] * 3, atol=1e-9)
    assert [len(event.split("; ")) for event in heard] == [steps] * 4


def test_works_that_do_not_grow_are_refused(tmp_path):
    edits = RunSpec(
        "adaptation",
        "reinforce",
        configs.ReinforceConfig(num_envs=4, hidden_sizes=(4,)),
        num_updates=1,
    )
    path = start(edits, tmp_path / "edits", progress=False, loggers=[])[0].path
    with pytest.raises(ValueError, match="its works are whole from the start"):
        performance.perform(path)


def test_what_lies_there_is_kept(run, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="works are kept in a directory, got the file"):
        performance.perform(run, out=tmp_path / "file")
    (tmp_path / "performed-00.mid").write_text("mine")
    with pytest.raises(ValueError, match=r"has performed-00\.mid already"):
        performance.perform(run, out=tmp_path)
    assert (tmp_path / "performed-00.mid").read_text() == "mine"


def test_a_faster_tempo_is_a_shorter_step(run):
    clock = Clock()
    performance.perform(run, 1, tempo=200.0, clock=clock.look, sleep=clock.sleep)
    np.testing.assert_allclose(clock.slept[1:], STEP / 2, atol=1e-9)


@pytest.mark.parametrize(("num", "tempo"), [(0, None), (1, 0.0), (1, float("inf"))])
def test_numbers_out_of_range_are_one_line(run, num, tempo):
    with pytest.raises(ValueError, match="num must be at least 1 and tempo positive, got"):
        performance.perform(run, num, tempo=tempo)


def test_what_is_no_music_is_refused(tmp_path):
    walk = RunSpec(
        "grid-path",
        "reinforce",
        configs.ReinforceConfig(num_envs=4, num_steps=8, hidden_sizes=(4,)),
        num_updates=1,
    )
    path = start(walk, tmp_path / "walk", progress=False, loggers=[])[0].path
    with pytest.raises(ValueError, match="a Melody or a Score; its works are of the kind Walk"):
        performance.perform(path)
