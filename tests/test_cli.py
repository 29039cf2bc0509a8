"""The command line: light, and every fault is one line."""

import json
import logging
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from creative_rl import cli, registry, works
from creative_rl.cli import main
from creative_rl.experiment import train_arguments
from creative_rl.experiment.parser import UsageError

TRAIN = [
    "train", "melody-target-tutorial", "--learner", "ppo", "--num-envs", "4", "--num-steps", "5",
    "--num-minibatches", "2", "--hidden-sizes", "8", "--log", "none",
]  # fmt: skip

_LIGHT = """
import sys, time
from creative_rl.cli import main
for argv in (["--help"], ["list"], ["train", "--help"],
             ["train", "melody-theory", "--learner", "ppo", "--help"],
             ["plan", "--help"], ["resume", "--help"], ["paint", "--help"], ["--version"]):
    assert main(argv) == 0, argv
assert main(["train", "melody-theroy", "--learner", "ppo"]) == 2
for module in ("jax", "flax", "numpy", "orbax", "rich"):
    assert module not in sys.modules, module
assert time.process_time() < 0.5, time.process_time()
"""


def test_answers_without_jax_in_half_a_second():
    done = subprocess.run([sys.executable, "-c", _LIGHT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for word in ("melody-theory", "likelihood", "--gae-lambda X", "--env-length N", "discount"):
        assert word in done.stdout


def fails(capsys, argv, code):
    assert main(argv) == code
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("creative-rl: error: ") and err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("", "missing COMMAND; see creative-rl --help"),
        ("trian", "unknown command 'trian'; did you mean train?"),
        ("--verison", "unknown flag '--verison'; did you mean --version?"),
        ("list --all", "unknown flag '--all'"),
        ("train", "missing ID, --learner; see creative-rl train --help"),
        ("train melody-theory", "missing --learner"),
        ("train melody-theory --learner", "--learner: expected one argument"),
        ("train melody-theroy --learner ppo", "unknown environment 'melody-theroy'; did you mean"),
        ("train melody-theory --learner pppo", "unknown learner 'pppo'; did you mean ppo?"),
        (
            "train melody-theory --learner=q_lerning",
            "unknown learner 'q_lerning'; did you mean q_l",
        ),
        ("{ppo} --lerning-rate 1", "unknown flag '--lerning-rate'; did you mean --learning-rate"),
        ("{ppo} --env-lenght 20", "unknown flag '--env-lenght'; did you mean --env-length"),
        ("{ppo} extra", "unknown argument 'extra'"),
        ("{ppo} --num-envs many", "--num-envs: must be a whole number, got 'many'"),
        ("{ppo} --num-envs 0", "num_envs must be a whole number of at least 1, got 0"),
        ("{ppo} --hidden-sizes 64,-1", "hidden_sizes must be a tuple of sizes of at least 1"),
        ("{ppo} --gamma 1.5", "gamma must be between 0 and 1, got 1.5"),
        ("{ppo} --gamma nan", "--gamma: must be a finite number"),
        ("{ppo} --recurrent rnn", "--recurrent: invalid choice: 'rnn'"),
        ("{ppo} --num-minibatches 7", "num_minibatches must divide"),
        ("{ppo} --env-length 5", "in 12..64"),
        ("{ppo} --steps 0", "--steps: must be at least 1, got 0"),
        ("{ppo} --profile 0", "--profile: must be at least 1, got 0"),
        ("{ppo} --steps -5", "--steps: must be at least 1, got -5"),
        ("{ppo} --seeds 0", "num_seeds must be at least 1, got 0"),
        ("{ppo} --seed -1", "seed must be at least 0, got -1"),
        ("{ppo} --lr 1", "unknown flag '--lr'; did you mean --learning-rate?"),
        ("{ppo} --ent_coef 1", "unknown flag '--ent_coef'; did you mean --entropy-coef?"),
        ("{ppo} --total-timesteps 9", "unknown flag '--total-timesteps'; did you mean --steps?"),
        ("{ppo} --log tensorbord", "unknown logger 'tensorbord'; did you mean tensorboard"),
        ("{ppo} --corpus default", "ppo takes none"),
        ("{ppo} --compile", "unknown flag '--compile'"),
        ("plan melody-theory", "missing --learner; see creative-rl plan --help"),
        ("plan melody-theory --learner ppo --memory -1", "--memory: must be between 0 and 10"),
        ("plan melody-theory --learner ppo --num-minibatches 7", "num_minibatches must divide"),
        ("{ppo} --prior-weight inf", "--prior-weight: must be a finite number"),
        ("{ppo} --weight tonic", "--weight: must be TERM=X, as in tonic=3, got 'tonic'"),
        ("{ppo} --weight tonic=much", "--weight: must be a finite number, got 'much'"),
        ("{ppo} --weight tonik=3", "unknown reward term 'tonik'; did you mean tonic"),
        ("train melody-theory --learner likelihood --weight key=1", "takes no reward weights"),
        (
            "train melody-theory --learner a2c --prior x",
            "a prior is tuned by the learners ppo and dqn",
        ),
        ("train drawing-copy --learner likelihood", "likelihood takes Discrete actions"),
        ("create run --num 0", "--num: must be at least 1, got 0"),
        ("create run --seed 4294967296", "--seed: must be between 0 and 4294967295, got 42"),
        ("create run --checkpoint good", "--checkpoint: must be best, latest or an update, got"),
        ("evaluate run --num -1", "--num: must be at least 1, got -1"),
        ("evaluate run --seed -1", "--seed: must be between 0 and 4294967295, got -1"),
        ("perform run --works 0", "--works: must be at least 1, got 0"),
        ("perform run --tempo 0", "--tempo: must be between 1 and 1000, got 0"),
        ("resume run --steps 0", "--steps: must be at least 1, got 0"),
        ("resume", "missing RUN; see creative-rl resume --help"),
        ("paint", "missing PICTURE; see creative-rl paint --help"),
        ("paint my.png --strokes 0", "--strokes: must be between 1 and 5000, got 0"),
        ("paint my.png --strokes few", "--strokes: must be a whole number, got 'few'"),
        ("paint my.png --size 2000", "--size: must be between 8 and 1024, got 2000"),
        ("paint my.png --seed -1", "--seed: must be between 0 and 4294967295, got -1"),
        ("paint my.png --background 2", "--background: must be between 0 and 1, got 2"),
        ("paint my.png --run r --background 0", "--background: a run paints on the one that it"),
        ("paint my.png --out my.bmp", "a painting is written as .png, .svg"),
        ("paint my.png --curve my.txt", "the curve is written as .json, got"),
        ("paint my.png --stroke 3", "unknown flag '--stroke'; did you mean --strokes"),
    ],
)
def test_usage_errors(argv, message, capsys):
    argv = argv.format(ppo="train melody-theory --learner ppo").split()
    assert message in fails(capsys, argv, 2)


def test_a_run_is_planned(capsys):
    argv = ["plan", *TRAIN[1:], "--memory"]
    assert main([*argv, "1"]) == 0
    out = capsys.readouterr().out
    assert "  parameters " in out and "  free " in out and "; asked: 4\n" in out
    assert main([*argv, "0.0001"]) == 1
    out, err = capsys.readouterr()
    assert "  in all " in out and err.count("\n") == 1
    assert err.startswith("creative-rl: error: memory: training needs about ")


def test_a_picture_is_painted(capsys, tmp_path):
    picture, out = tmp_path / "my.png", tmp_path / "my.json"
    assert "there is no picture" in fails(capsys, ["paint", str(picture)], 1)
    picture.write_text("no picture")
    assert "it is not a picture" in fails(capsys, ["paint", str(picture)], 1)
    Image.new("RGB", (9, 8), (200, 40, 90)).save(picture)
    before = picture.read_bytes()
    argv = ["paint", str(picture), "--strokes", "2", "--no-refine", "--out"]
    assert "is the picture itself" in fails(capsys, [*argv, str(picture)], 2)
    assert "there is no run" in fails(capsys, [*argv, str(out), "--run", "none"], 1)
    assert picture.read_bytes() == before and not out.exists()
    assert main([*argv, str(out)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == str(out) and " on 9 x 8 pixels in " in printed[-2]
    assert works.load(out).pixels.shape == (8, 9, 3)


@pytest.mark.parametrize("command", ["resume", "create", "evaluate", "report", "perform"])
def test_what_is_no_run(command, capsys, tmp_path):
    assert "there is no run" in fails(capsys, [command, str(tmp_path / "none")], 1)
    line = fails(capsys, [command, str(tmp_path)], 1)
    assert "it has no config.json" in line and "experiment.start" in line


def test_existing_directory_and_missing_prior(capsys, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert "exists already" in fails(capsys, [*TRAIN, "--out", str(tmp_path)], 1)
    argv = [*TRAIN, "--prior", str(tmp_path / "none"), "--out", str(tmp_path / "run")]
    assert "there is no run" in fails(capsys, argv, 1)
    argv = ["train", "melody-theory", "--learner", "likelihood", "--corpus", "no-such-corpus"]
    assert "no-such-corpus" in fails(capsys, [*argv, "--out", str(tmp_path / "run")], 1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_warnings_are_lines_of_the_command(capsys, monkeypatch):
    def warn(argv):
        logging.getLogger("creative_rl.corpora.corpus").warning("%d pieces skipped", 2)
        return 0

    monkeypatch.setitem(cli._COMMANDS, "list", warn)
    assert main(["list"]) == 0
    assert capsys.readouterr() == ("", "creative-rl: warning: 2 pieces skipped\n")
    log = logging.getLogger("creative_rl")
    assert log.propagate and not log.handlers  # a program that calls main keeps its own


def test_debug_shows_where(tmp_path):
    with pytest.raises(ValueError, match="there is no run"):
        main(["--debug", "evaluate", str(tmp_path / "none")])


def test_a_run_from_start_to_report(capsys, tmp_path):
    out = str(tmp_path / "run")
    assert main([*TRAIN, "--steps", "50", "--seed", "3", "--out", out]) == 0
    assert "completed after 3 updates" in capsys.readouterr().out
    spec = json.loads((tmp_path / "run" / "config.json").read_text())["spec"]
    assert (spec["seed"], spec["num_updates"], spec["config"]["hidden_sizes"]) == (3, 3, [8])
    assert main(["resume", out]) == 0
    assert "is done; --steps N" in capsys.readouterr().out
    assert main(["resume", out, "--steps", "100", "--log", "none"]) == 0
    assert "completed after 5 updates" in capsys.readouterr().out
    argv = ["paint", "none.png", "--run", out]
    assert "whose works are no strokes after a picture" in fails(capsys, argv, 1)
    assert "has 100 steps already" in fails(capsys, ["resume", out, "--steps", "20"], 1)
    assert main(["create", out, "--num", "2", "--best", "1"]) == 0
    assert main(["evaluate", out, "--num", "16"]) == 0
    assert "±" in capsys.readouterr().out
    assert main(["evaluate", out, "--num", "4", "--checkpoint", "3"]) == 0
    assert "of checkpoint 3" in capsys.readouterr().out
    argv = ["create", out, "--num", "1", "--checkpoint", "4"]
    assert "there is no checkpoint 4; it has [0, 3, 5]" in fails(capsys, argv, 1)
    assert main(["perform", out, "--tempo", "1000", "--out", str(tmp_path / "played")]) == 0
    assert "1 work, 5 events: latency" in capsys.readouterr().out
    assert works.load(tmp_path / "played" / "performed-00.mid").length == 5
    assert main(["report", out]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "best 1 of 256" in page and "Evaluation" in page
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    capsys.readouterr()
    assert "there is no checkpoint" in fails(capsys, ["evaluate", out], 1)


@pytest.mark.parametrize("learner", sorted(registry.LEARNERS))
@pytest.mark.parametrize("id", sorted(registry.ENVIRONMENTS))
def test_flags_of_every_environment_and_learner_go_together(id, learner):
    asked = train_arguments.parse([id, "--learner", learner])
    assert (asked.spec.environment, asked.spec.learner) == (id, learner)


def test_target_is_short_for_the_pictures_of_a_drawing(tmp_path):
    picture = tmp_path / "a.png"
    Image.new("L", (8, 8)).save(picture)
    ppo = ["drawing-copy", "--learner", "ppo"]
    by_target = train_arguments.parse([*ppo, "--target", str(picture)])
    by_field = train_arguments.parse([*ppo, "--env-targets", str(picture)])
    assert by_target.spec == by_field.spec
    assert by_target.spec.env_overrides["targets"] == str(picture)
    with pytest.raises(UsageError, match="--target is short for --env-targets; give one"):
        train_arguments.parse([*ppo, "--target", "digits", "--env-targets", "shapes"])
    dqn = ["drawing-copy-pen", "--learner", "dqn", "--target", "psi", "--env-targets", "digits"]
    spec = train_arguments.parse(dqn).spec
    assert (spec.config.target, spec.env_overrides["targets"]) == ("psi", "digits")
