"""Music against a clock that the test turns: what is played, when, and what counts as late."""

import numpy as np
import pytest

from creative_rl import configs, works
from creative_rl.experiment import RunSpec, performance, start

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


def test_who_is_slower_than_the_beat_is_late(run):
    clock = Clock(cost=STEP)  # of each of the four looks at an event
    played = performance.perform(run, 1, clock=clock.look, sleep=clock.sleep)
    assert played.num_late == LENGTH - 1
    np.testing.assert_allclose(played.latencies, STEP)
    said = performance.describe(played)
    assert said == (
        "1 works, 5 events: latency 150.00 ms (median), 150.00 ms (99th percentile); "
        "4 came after their time"
    )


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
