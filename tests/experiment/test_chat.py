"""A chat in the terminal, its lines from a list: what is understood, answered, ended and kept."""

import builtins
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl import cli, configs, works
from creative_rl.experiment import RunSpec, chat, chat_acts, start
from creative_rl.ops import dialogue as acts
from creative_rl.ops.dialogue import AFFIRM, ANY, CLOSE, DENY, INFORM, REQUEST, THANKS
from creative_rl.typing import Learner

SPEC = RunSpec(
    "dialogue",
    "reinforce",
    configs.ReinforceConfig(num_envs=2, hidden_sizes=(4,), num_steps=4),
    env_overrides={"num_rows": 30, "max_turn": 16},
    num_updates=1,
)
ENV = crl.make("dialogue", num_rows=30, max_turn=16)
SLOTS = ENV.table.slots
PEOPLE, TICKET = len(SLOTS) - 1, len(SLOTS)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "clerk"
    return start(SPEC, folder, progress=False, loggers=[])[0].path


def card(constraints, wishes=()):
    """A goal by names."""
    state, _ = ENV.reset(jax.random.key(0), ENV.default_params)
    work = jax.device_get(ENV.work(state, ENV.default_params))
    values = np.full(len(SLOTS), -1, np.int32)
    for slot, word in constraints.items():
        place = SLOTS.index(slot)
        values[place] = work.words[place].index(word)
    return work.replace(constraints=values, wishes=np.array([slot in wishes for slot in SLOTS]))


CARD = card({"movie": "Copper Sky", "city": "Halden", "people": "2"}, {"price"})


def code(slot, word):
    return SLOTS.index(slot), ENV.table.words[SLOTS.index(slot)].index(word)


@pytest.mark.parametrize(
    ("line", "intent", "told", "asked"),
    [
        ("copper sky in HALDEN", INFORM, [("movie", "Copper Sky"), ("city", "Halden")], []),
        ("for 2 people please", INFORM, [("people", "2")], []),
        ("The Last Tram Home, 3D", INFORM, [("movie", "The Last Tram Home"), ("format", "3D")], []),
        ("any time", INFORM, [], []),
        ("what is the price?", REQUEST, [], ["price"]),
        ("Which day", REQUEST, [], ["date"]),
        ("Friday; what time is it?", REQUEST, [("date", "Friday")], ["time"]),
        ("the ticket, please", REQUEST, [], ["ticket"]),
        ("yes, that is right", AFFIRM, [], []),
        ("no", DENY, [], []),
        ("no thanks", DENY, [], []),
        ("Thank you", THANKS, [], []),
        ("bye", CLOSE, [], []),
        ("1, 3", INFORM, [("movie", "Copper Sky"), ("people", "2")], []),
        ("1 4", REQUEST, [("movie", "Copper Sky")], ["price"]),
        ("8", THANKS, [], []),
        ("8 4", REQUEST, [], ["price"]),
    ],
)
def test_what_is_understood(line, intent, told, asked):
    offered = chat_acts.choices(CARD, None)
    said = chat_acts.understood(line, offered, CARD)
    assert said.intent == intent
    values = dict(code(*pair) for pair in told)
    if line == "any time":
        values = {SLOTS.index("time"): ANY}
    assert dict(said.values) == values
    names = (*SLOTS, "ticket")
    assert {names[slot] for slot in said.asked} == set(asked)


@pytest.mark.parametrize("line", ["", "0", "9", "1 99", "hello there", "copper skyline", "12:00"])
def test_what_is_not_understood(line):
    assert chat_acts.understood(line, chat_acts.choices(CARD, None), CARD) is None


def test_what_is_offered():
    said = [choice.sentence(CARD) for choice in chat_acts.choices(CARD, SLOTS.index("genre"))]
    assert said == [
        "Any genre will do.",
        "I would like a ticket to Copper Sky.",
        "I would like a ticket in Halden.",
        "I would like a ticket for 2 people.",
        "What is the price?",
        "Please book the ticket.",
        "Yes, that is right.",
        "No, that is not right.",
        "Thank you, that is all.",
    ]
    assert len(chat_acts.choices(CARD, SLOTS.index("city"))) == 8


class Script:
    """Lines to type, then the end of input; what was shown."""

    def __init__(self, *lines, ending=EOFError):
        self.lines, self.ending, self.shown = iter(lines), ending, []

    def read(self, prompt):
        for line in self.lines:
            return line
        raise self.ending

    def talk(self, run, **keywords):
        return chat.chat(run, read=self.read, write=self.shown.append, **keywords)


def acting(monkeypatch, *actions):
    """The run's agent does this, one after the other, whatever it sees."""
    opened = chat.open_run

    def with_actions(path):
        run = opened(path)
        script = jnp.array(actions, jnp.int32)

        def act(state, key, timestep, memory):
            return script[memory], memory + 1

        learner = Learner(None, None, act, lambda: jnp.int32(0), 0)
        return run._replace(learner=learner)

    monkeypatch.setattr(chat, "open_run", with_actions)
    # The state is the trained learner's all the same.
    monkeypatch.setattr(chat, "load_states", lambda opened: ((),))
    monkeypatch.setattr(chat, "seed_state", lambda states, index: ())


S, K = ENV.num_slots, ENV.num_known
BOOK, GOODBYE = S + K + 1, S + K + 2


def test_a_good_conversation_is_a_success_and_is_kept(run, tmp_path, monkeypatch):
    script = Script("huh?", "1", "thanks")
    goal = script.talk(run).dialogue  # to see what is wanted
    told = [str(n + 1) for n in range(int((goal.constraints >= 0).sum()))]
    wished = np.flatnonzero(goal.wishes).tolist()
    acting(monkeypatch, *(S + slot for slot in wished), BOOK, GOODBYE)
    script = Script(" ".join(told), *["yes"] * (len(wished) + 1))
    made = script.talk(run, out=tmp_path / "one.txt")
    assert made.dialogue.outcome == acts.SUCCESS and script.shown[-2].startswith("success after")
    assert script.shown[-1] == f"kept in {tmp_path / 'one.txt'}"
    assert "agent: Goodbye." in script.shown and "The time is over." not in script.shown
    kept = works.load(tmp_path / "one.txt")
    for left, right in zip(jax.tree.leaves(kept), jax.tree.leaves(made.dialogue), strict=True):
        np.testing.assert_array_equal(left, right)
    assert works.text(kept).splitlines()[-2] == "agent: Goodbye."


def test_a_ticket_for_somebody_else_is_a_failure(run, monkeypatch):
    acting(monkeypatch, BOOK, GOODBYE)
    script = Script("the ticket", "thanks")
    made = script.talk(run)
    assert made.dialogue.outcome == acts.FAILURE and made.dialogue.length == 4


def test_after_goodbye_nobody_answers(run, monkeypatch):
    acting(monkeypatch, 0, GOODBYE, 0, 0)
    script = Script("yes", "yes", "thanks", "bye")
    made = script.talk(run)
    assert list(script.lines) == ["thanks", "bye"]
    assert made.dialogue.outcome == acts.FAILURE and made.dialogue.length == 4
    assert script.shown[-2:] == ["agent: Goodbye.", "failure after 4 turns"]


def test_the_time_ends_it(run, monkeypatch):
    acting(monkeypatch, *[0] * 8)
    script = Script(*["yes"] * 10)
    made = script.talk(run)
    assert "The time is over." in script.shown and made.dialogue.outcome == acts.FAILURE
    assert (
        made.dialogue.length == 16 and script.shown.count("agent: Which film would you like?") == 8
    )


@pytest.mark.parametrize("ending", [EOFError, KeyboardInterrupt])
def test_who_leaves_keeps_what_was_said(run, tmp_path, ending):
    script = Script("what?", "1", ending=ending)
    made = script.talk(run, out=tmp_path / "one.json")
    assert made.dialogue.outcome in (acts.OPEN, acts.FAILURE) and made.dialogue.length == 2
    assert any(line.startswith("say it by numbers, or in words") for line in script.shown)
    assert works.load(tmp_path / "one.json").length == 2


def test_bye_ends_it_and_the_goal_tells(run):
    made = Script("1", "bye").talk(run)
    assert made.dialogue.outcome == acts.FAILURE and made.dialogue.length == 3
    assert made.dialogue.intents[2] == CLOSE


def test_the_seed_decides_the_goal(run):
    goals = [Script().talk(run, seed=seed).dialogue.constraints.tolist() for seed in (0, 0, 1)]
    assert goals[0] == goals[1] != goals[2]


def test_what_cannot_be_kept_or_talked_to_is_refused_before_a_word(run, tmp_path, monkeypatch):
    taken = tmp_path / "taken.txt"
    taken.write_text("mine")
    for out, line in (
        (tmp_path / "one.pdf", r"kept as \.txt or \.json, got 'one\.pdf'"),
        (taken, "is there already"),
        (tmp_path / "none" / "one.txt", "there is no folder"),
    ):
        with pytest.raises(ValueError, match=f"chat: .*{line}"):
            Script().talk(run, out=out)
    other = RunSpec("melody-target-tutorial", "q_learning", num_updates=1)
    folder = start(other, tmp_path / "melody", progress=False, loggers=[])[0].path
    with pytest.raises(ValueError, match=r"melody: a chat is with an agent of dialogues, .*tutori"):
        Script().talk(folder)
    assert taken.read_text() == "mine"


def test_from_the_command_line(run, tmp_path, monkeypatch, capsys):
    lines = itertools.chain(["1", "bye"])
    monkeypatch.setattr(builtins, "input", lambda prompt: next(lines))
    out = tmp_path / "one.txt"
    assert cli.main(["chat", str(run), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Your goal: you want a ticket") and f"kept in {out}" in shown
    assert cli.main(["chat", str(run), "--seed", "-1"]) == 2
    assert cli.main(["chat", str(run), "--out", str(out)]) == 1
    assert "is there already" in capsys.readouterr().err
