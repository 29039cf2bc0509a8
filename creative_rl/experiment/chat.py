"""A person in the user's place: a conversation with a run's agent, in the terminal."""

import os
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import works
from creative_rl.envs.dialogue import BookingDialogue, DialogueState
from creative_rl.experiment.chat_acts import Said, choices, understood
from creative_rl.experiment.opening import OpenRun, load_states, open_run, seed_state
from creative_rl.ops import dialogue as acts
from creative_rl.ops.dialogue import Act
from creative_rl.typing import Key, PyTree
from creative_rl.works import Dialogue
from creative_rl.works.dialogue_words import goal, sentence, summary

SUFFIXES = (".txt", ".json")
_HELP = (
    "say it by numbers, or in words: a value of your goal, 'any' and what does not matter, "
    "'what is' and what you ask for, 'ticket', yes, no, thanks, or bye to leave"
)


class Chat(NamedTuple):
    """A conversation, and where it is kept, if anywhere."""

    dialogue: Dialogue
    path: pathlib.Path | None


def chat(
    path: str | os.PathLike,
    *,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    read: Callable[[str], str] = input,
    write: Callable[[str], Any] = print,
) -> Chat:
    """Talk to the agent of a run's first seed, by a goal that is drawn.

    The person speaks first. It ends when the agent closes, the time is over, the person leaves
    (bye, end of input, Ctrl-C), and then the goal tells whether it was a success.

    Args:
      path: the run directory, of an agent in `dialogue`.
      seed: another one gives another goal.
      out: a file for the conversation, .txt or .json, which must not be there.
      read: gives the next line after a prompt; `EOFError` and `KeyboardInterrupt` leave.
      write: shows a line.

    Raises:
      ValueError: as from `open_run`; the run is of another environment, or `out` has no place.
    """
    place = None if out is None else _checked(pathlib.Path(out))
    opened = open_run(path)
    if not isinstance(opened.env, BookingDialogue):
        raise ValueError(
            f"{path}: a chat is with an agent of dialogues, trained in dialogue; this run's is of "
            f"{opened.run.spec.environment}"
        )
    conversation = _Conversation(opened, seed)
    try:
        _talk(conversation, read, write)
    except (EOFError, KeyboardInterrupt):
        write("")
    made = conversation.work()
    write(summary(made))
    if place is not None:
        works.save(made, place)
        write(f"kept in {place}")
    return Chat(made, place)


def _talk(conversation: "_Conversation", read: Callable, write: Callable) -> None:
    card = conversation.work()
    write(f"Your goal: you {goal(card).replace('wants', 'want').replace('asks', 'ask')}.")
    asked = None
    while not conversation.is_over:
        offered = choices(card, asked)
        for number, choice in enumerate(offered, 1):
            write(f"  {number:2d}  {choice.sentence(card)}")
        said = understood(read("you: "), offered, card)
        while said is None:
            write(_HELP)
            said = understood(read("you: "), offered, card)
        heard = conversation.say(said)
        write(f"you: {said.sentence(card)}" + (f" [heard: {heard}]" if heard else ""))
        if said.intent == acts.CLOSE:
            return
        answer, asked = conversation.answer()
        write(f"agent: {answer}")
    if not conversation.is_closed:
        write("The time is over.")


class _Conversation:
    """The state of one, on the device, and its turns so far."""

    def __init__(self, opened: OpenRun, seed: int):
        env, self.learner = opened.env, opened.learner
        self.env: BookingDialogue = env
        self.agent = seed_state(load_states(opened), 0)
        self.params = opened.params(self.agent)
        key_reset, self.key = jax.random.split(jax.random.key(seed))
        drawn, self.timestep = env.reset(key_reset, self.params)
        user = acts.new_user(
            drawn.user.constraints, drawn.user.requests, drawn.user.values, drawn.user.agenda
        )
        self.state = env.listening(user, drawn.noise)
        self.memory = self.learner.init_memory()
        self.turns: list[tuple[Act, Act]] = []
        self.is_closed = False
        self._hear = jax.jit(env.user_turn)
        self._act = jax.jit(self._answered)

    @property
    def is_over(self) -> bool:
        """Whether nobody speaks any more."""
        return int(self.state.outcome) != acts.OPEN

    def say(self, said: Said) -> str | None:
        """The user's turn; what the agent heard, where that was something else."""
        values, requests = said.arrays(self.env.num_slots)
        act = Act(
            intent=jnp.int32(said.intent),
            informed=jnp.asarray(values != acts.UNKNOWN),
            values=jnp.asarray(values),
            requested=jnp.asarray(requests),
            ticket=jnp.int32(acts.NOT_MENTIONED),
        )
        self.state, heard = self._hear(self.state, act, self.params)
        self.turns.append(jax.device_get((act, heard)))
        if said.intent == acts.CLOSE:
            is_good = bool(acts.is_satisfied(self.state.user))
            outcome = acts.SUCCESS if is_good else acts.FAILURE
            self.state = self.state.replace(outcome=jnp.int32(outcome))
        before, after = (_in_words("user", one, self.work()) for one in self.turns[-1])
        return None if before == after else after

    def answer(self) -> tuple[str, int | None]:
        """The agent's turn in words, and the slot that it asks for."""
        number = len(self.turns)
        key = jax.random.fold_in(self.key, number)
        self.state, self.memory, said = self._act(
            self.agent, self.state, self.memory, key, self.params
        )
        said = jax.device_get(said)
        self.turns.append((said, said))
        self.is_closed = int(said.intent) == acts.CLOSE
        asked = np.flatnonzero(said.requested[:-1])
        return _in_words("agent", said, self.work()), int(asked[0]) if asked.size else None

    def work(self) -> Dialogue:
        """The turns so far."""
        user, table = jax.device_get(self.state.user), self.env.table
        most, num = 1 + 2 * self.env.num_steps, self.env.num_slots
        said, heard = ([turn[place] for turn in self.turns] for place in (0, 1))

        def rows(parts: list[Act], name: str, empty: np.ndarray) -> np.ndarray:
            made = np.repeat(empty[None], most, axis=0)
            for turn, part in enumerate(parts):
                made[turn] = getattr(part, name)
            return made

        number, unknown = np.zeros((), np.int32), np.full(num, acts.UNKNOWN, np.int32)
        return Dialogue(
            intents=rows(said, "intent", number),
            values=rows(said, "values", unknown),
            requests=rows(said, "requested", np.zeros(num + 1, np.bool_)),
            tickets=rows(said, "ticket", number),
            heard_intents=rows(heard, "intent", number),
            heard_values=rows(heard, "values", unknown),
            constraints=np.where(user.constraints, user.values, acts.UNKNOWN),
            wishes=np.asarray(user.requests),
            outcome=np.asarray(self.state.outcome),
            length=np.array(len(self.turns), np.int32),
            slots=table.slots,
            words=table.words,
        )

    def _answered(
        self, agent: PyTree, state: DialogueState, memory: PyTree, key: Key, params: PyTree
    ) -> tuple[DialogueState, PyTree, Act]:
        timestep = self.timestep.replace(
            observation=self.env.observe(state, params),
            action_mask=self.env.action_mask(state, params),
        )
        action, memory = self.learner.act(agent, key, timestep, memory)
        state, said = self.env.agent_turn(state, action, params)
        return state, memory, said


def _in_words(speaker: str, act: Act, of: Dialogue) -> str:
    return sentence(
        speaker, int(act.intent), np.asarray(act.values), np.asarray(act.requested),
        int(act.ticket), of,
    )  # fmt: skip


def _checked(place: pathlib.Path) -> pathlib.Path:
    """Refuse before a word is said."""
    if place.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"chat: a conversation is kept as {' or '.join(SUFFIXES)}, got {place.name!r}"
        )
    if place.exists():
        raise ValueError(f"chat: {place} is there already; give another name or move it away")
    if not place.parent.is_dir():
        raise ValueError(f"chat: there is no folder {place.parent}; create it first")
    return place
