"""A sweep's file: what it says, and one line for every fault of it."""

import pathlib

import pytest

from creative_rl.experiment.sweeping import file, trials
from creative_rl.experiment.sweeping.values import Range

PLAIN = """
seeds = 3
[base]
environment = "grid-path"
learner = "q_learning"
steps = 1000
num_envs = 4
[space]
learning_rate = [0.1, 0.5]
gamma = [0.9, 1]
[budgets.quick]
times = 0.1
seeds = 2
"""


def read(tmp_path, text, **options):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return file.read(path, **options)


def test_a_file_says_its_task_and_its_budgets(tmp_path):
    found = read(tmp_path, PLAIN)
    (task,) = found.tasks
    assert (found.name, found.budget, found.search.kind) == ("mine", None, "grid")
    assert (task.name, task.steps, task.seeds) == ("grid-path-q_learning", 1000, 3)
    assert task.config == {"num_envs": 4}
    assert task.space == {"learning_rate": (0.1, 0.5), "gamma": (0.9, 1.0)}
    assert type(task.space["gamma"][1]) is float  # so that 1 and 1.0 are one trial
    quick = read(tmp_path, PLAIN, budget="quick").tasks[0]
    assert (quick.steps, quick.seeds, quick.space) == (100, 2, task.space)


def test_tasks_share_a_base_and_have_their_own(tmp_path):
    text = """
metric = "loss"
direction = "min"
[base]
steps = 500
learner = "ppo"
hidden_sizes = [8]
weights.goal = 2
[space]
learning_rate = [1e-3]
[budgets.quick]
times = 0.5
[[tasks]]
environment = "grid-path"
env.size = 3
[tasks.budgets.quick]
num_envs = 2
[[tasks]]
name = "second"
environment = "grid-path"
seeds = 2
metric = "entropy"
[tasks.space]
hidden_sizes = [[4], [4, 4]]
env.size = [3, 4]
"""
    one, two = read(tmp_path, text, budget="quick").tasks
    assert (one.name, one.metric, one.direction, one.steps) == ("grid-path-ppo", "loss", "min", 250)
    assert (one.env, one.weights) == ({"size": 3}, {"goal": 2.0})
    assert one.config == {"hidden_sizes": (8,), "num_envs": 2}
    assert (two.name, two.metric, two.seeds, two.env) == ("second", "entropy", 2, {})
    assert two.space == {
        "learning_rate": (1e-3,), "hidden_sizes": ((4,), (4, 4)), "env.size": (3, 4),
    }  # fmt: skip
    with_both = [(p["hidden_sizes"], p["env.size"]) for p in trials.points(two, file.Search())]
    assert with_both == [((4,), 3), ((4,), 4), ((4, 4), 3), ((4, 4), 4)]


def test_random_points_are_drawn_in_their_ranges_and_again(tmp_path):
    text = """
search = "random"
num_trials = 200
[base]
environment = "grid-path"
learner = "q_learning"
[space]
learning_rate = {low = 0.001, high = 1, log = true}
gamma = {low = 0.5, high = 1}
epsilon_steps = {low = 3, high = 5}
num_envs = [2, 4]
weights.goal = {low = 1, high = 2}
"""
    found = read(tmp_path, text)
    (task,) = found.tasks
    drawn = trials.points(task, found.search)
    assert drawn == trials.points(task, found.search) and len(drawn) == 200
    rates = [point["learning_rate"] for point in drawn]
    assert min(rates) >= 0.001 and max(rates) <= 1
    assert 40 < sum(rate < 0.001**0.5 for rate in rates) < 160  # half of them, by the logarithm
    assert {point["epsilon_steps"] for point in drawn} == {3, 4, 5}
    assert {point["num_envs"] for point in drawn} == {2, 4}
    assert all(0.5 <= p["gamma"] <= 1 and 1 <= p["weights.goal"] <= 2 for p in drawn)
    assert task.space["weights.goal"] == Range(1.0, 2.0)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seeds = 3", "sedes = 3", "sedes: unknown key 'sedes'; did you mean seeds?"),
        ("seeds = 3", "seeds = 2.5", "seeds: must be a whole number, got 2.5"),
        ("seeds = 3", "seeds = 0", "seeds: must be at least 1, got 0"),
        ("seeds = 3", "search = 'gird'", "search: unknown search 'gird'; did you mean grid?"),
        ("seeds = 3", "search = 'random'", "num_trials: is missing; random needs to know"),
        ("seeds = 3", "num_trials = 3", "num_trials: a grid trains all its points"),
        ("seeds = 3", "name = '../../evil'", "name: names a folder, .* got '../../evil'"),
        ("seeds = 3", "name = '..'", "name: names a folder, so it must be no path and not of dots"),
        ("seeds = 3", "search = 'halving'\nrungs = 60", "rungs: the first of 60 trains .* fewer"),
        ("seeds = 3", "direction = 'up'", "direction: must be max or min, got 'up'"),
        ("seeds = 3", "tasks = []", r"tasks: must be tables, each under \[\[tasks\]\]"),
        ("num_envs = 4", "num_envs = 0", "base.num_envs: must be a whole number of at least 1"),
        ("num_envs = 4", "num_env = 4", "base.num_env: unknown key .* did you mean num_envs"),
        ("num_envs = 4", "env = 3", "base.env: must be a table, got 3"),
        ("num_envs = 4", "weights.goal = 'x'", "base.weights.goal: must be a finite number"),
        ("steps = 1000", "steps = 'many'", "base.steps: must be a whole number, got 'many'"),
        ("grid-path", "grid-paht", "environment: unknown environment 'grid-paht'; did you mean"),
        ('learner = "q_learning"', "", "learner: is missing; give it here or in"),
        ("gamma = [0.9, 1]", "gamma = []", "space.gamma: the list is empty; give it values"),
        ("gamma = [0.9, 1]", "gamma = 0.9", r"space.gamma: must be a list such as \[0.1, 0.2\]"),
        ("gamma = [0.9, 1]", "gamma = [1.5]", "space.gamma: must be between 0 and 1, got 1.5"),
        ("gamma = [0.9, 1]", "gama = [1]", "space.gama: unknown key 'gama'; did you mean gamma"),
        ("gamma = [0.9, 1]", "gamma = {low = 1}", "space.gamma: a range needs high"),
        ("gamma = [0.9, 1]", "gamma = {low = 1, high = 0}", "low must be below high, got 1.0 and"),
        ("gamma = [0.9, 1]", "gamma = {low = 0, high = 1}", "space.gamma: a grid needs lists"),
        ("learning_rate = [0.1, 0.5]\ngamma = [0.9, 1]", "", "space: is empty; give it a list"),
        ("times = 0.1", "times = 0", "budgets.quick.times: must be greater than 0, got 0"),
        ("times = 0.1", "tmies = 2", "budgets.quick.tmies: unknown key 'tmies'"),
        ("[budgets.quick]", "[budgets.qiuck]", "budgets.quick: unknown budget 'quick'; did you"),
        ("[base]", "[base", "mine.toml is no TOML: .*line"),
    ],
)  # fmt: skip
def test_faults_are_one_line_with_the_file_and_the_key(old, new, words, tmp_path):
    assert old in PLAIN
    with pytest.raises(ValueError, match=words) as caught:
        read(tmp_path, PLAIN.replace(old, new), budget="quick")
    assert str(tmp_path / "mine.toml") in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_must_be_there_and_names_tell_tasks_apart(tmp_path):
    with pytest.raises(ValueError, match=r"cannot read the sweep .*none.toml: No such file"):
        file.read(tmp_path / "none.toml")
    twice = PLAIN + "[[tasks]]\n[[tasks]]\n"
    with pytest.raises(ValueError, match="two have the name 'grid-path-q_learning'; give them"):
        read(tmp_path, twice)
    with pytest.raises(ValueError, match="unknown learner 'ppp'"):
        read(tmp_path, PLAIN + "[[tasks]]\nlearner = 'ppp'\n")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("num_envs = 4", "env.sise = 4", "env.sise: unknown field 'sise'; did you mean size?"),
        ("num_envs = 4", "weights.gaol = 1", "weights.gaol: unknown reward term 'gaol'; did you"),
        ("gamma = [0.9, 1]", "env.sise = [1]", "env.sise: unknown field 'sise'"),
        ("gamma = [0.9, 1]", "weights.gaol = [1]", "weights.gaol: unknown reward term"),
    ],
)
def test_names_of_the_environment_are_checked(old, new, words, tmp_path):
    (task,) = read(tmp_path, PLAIN.replace(old, new)).tasks
    with pytest.raises(ValueError, match=words):
        trials.check(task)


def test_a_trial_is_known_by_what_it_is(tmp_path):
    (task,) = read(tmp_path, PLAIN).tasks
    one = trials.make(task, {"learning_rate": 0.1, "gamma": 1.0})
    again = read(tmp_path, PLAIN.replace("0.1, 0.5", "0.5, 0.1")).tasks[0]
    assert trials.make(again, {"gamma": 1.0, "learning_rate": 0.1}).id == one.id
    assert len(one.id) == 12 and one.error is None and one.spec.config.gamma == 1.0
    for other in (
        trials.make(task, {"learning_rate": 0.2, "gamma": 1.0}),
        trials.make(read(tmp_path, PLAIN.replace("1000", "2000")).tasks[0], one.point),
        trials.make(read(tmp_path, PLAIN, budget="quick").tasks[0], one.point),
    ):
        assert other.id != one.id
    broken = trials.make(task, {"env.size": 0})
    assert broken.spec is None and "size" in broken.error and len(broken.id) == 12
    kinds = {"learning_rate": True, "num_envs": False, "env.size": False, "weights.goal": True}
    assert {name: trials.is_plain(task, name) for name in kinds} == kinds


def test_paths_may_be_text(tmp_path):
    assert read(tmp_path, PLAIN).path == pathlib.Path(tmp_path, "mine.toml")
