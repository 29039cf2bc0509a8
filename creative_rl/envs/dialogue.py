"""Book a ticket in a dialogue: ask what is wanted, answer, and find it in a knowledge base."""

import dataclasses
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.corpora.catalogue import MOVIES, Catalogue, load_catalogue
from creative_rl.environment import Environment, check_number, check_whole
from creative_rl.ops import booking_agent, dialogue
from creative_rl.ops.booking_agent import Belief, Fitting
from creative_rl.ops.dialogue import Act, User
from creative_rl.ops.draws import uniform
from creative_rl.ops.mishearing import misheard, mixed
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.stores.knowledge_base import UNKNOWN, KnowledgeBase
from creative_rl.stores.shift_register import ShiftRegister
from creative_rl.typing import Array, Key, PyTree, Term, Transition
from creative_rl.works.dialogue import Dialogue

_SOURCE = "Li et al., arXiv 1703.01008, section 3.3 and the released implementation"


class DialogueState(flax.struct.PyTreeNode):
    """Where a dialogue stands. All of its chance is drawn at reset."""

    user: User
    belief: Belief  # the agent's
    heard: Act  # the user's last, as it was heard
    actions: ShiftRegister
    noise: Array  # uint32: what mishearing is drawn from
    step: Array  # int32: turns that the agent has had
    outcome: Array  # int32: `ops.dialogue.OPEN`, SUCCESS or FAILURE


class DialogueParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, what there is to book, and how users are.

    Another knowledge base of the same slots replaces the default's:
    `params.replace(base=KnowledgeBase.create(codes, num_values))`.
    """

    weights: dict[str, Array]
    base: KnowledgeBase
    constraint_rate: Array  # float32: of slots that a user has a wish for
    request_rate: Array  # float32: of slots that a user asks for
    slot_error: Array  # float32: of values of the user that are misheard
    intent_error: Array  # float32: of intents that are


def _turn(seen: Transition) -> Array:
    return (seen.next_state.outcome == dialogue.OPEN).astype(jnp.float32)


def _success(seen: Transition) -> Array:
    return (seen.next_state.outcome == dialogue.SUCCESS).astype(jnp.float32)


def _failure(seen: Transition) -> Array:
    return (seen.next_state.outcome == dialogue.FAILURE).astype(jnp.float32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BookingDialogue(Environment):
    """Book what a user wants, who says it slot by slot and is not always heard right.

    A user is drawn at reset: a row of the knowledge base, of its slots some as constraints, others
    as requests, and the number of people. So every user can be satisfied. The user speaks first;
    a step is a turn of the agent and the user's reply (`ops.dialogue`). S slots, the first K in the
    knowledge base, the last `people`.

    | | |
    |---|---|
    | id | `dialogue`; `dialogue-noisy` and `dialogue-noisier` have error rates of .15 and .30 |
    | version | 1 |
    | observation | `user_intent` Discrete(6): inform, request, affirm, deny, thanks, close; \
`informed` and `requested`, of the user's last act, 0 or 1, float32[S] and with the ticket \
float32[S + 1]; `action` Discrete(A + 1), the agent's last, A at first; `known`, slots that have a \
value, and whether a ticket was found, float32[S + 1]; `told`, of these the user's, float32[S]; \
`turn` Discrete(max_turn / 2 + 1); `matches` 0 .. 1, float32[S + 2]: shares of rows that fit each \
slot's value, all that the user told, and all that is known |
    | action | Discrete(S + K + 3): request of each slot, inform of each of the K, then confirm \
(read back what was heard), book, close; masked where nothing \
fits, nothing was heard, or there is no ticket to close with |
    | reward terms | `turn` (-1), 1 for every step but the last; `success` (2 max_turn), 1 at the \
end; `failure` (-max_turn), 1 at the end |
    | horizon | none: episodes end early |
    | termination | when the agent closes, or after `max_turn` / 2 steps, which is a failure |

    A success is a ticket with every constraint's value, and all requests answered.

    Source: TC-Bot (Li et al., arXiv 1703.01008) and its user simulator (arXiv 1612.05688), at the
    level of dialogue acts.

    Deviations: screenings are made by a rule, with 10 slots in place of 29, so that every goal can
    be reached, where of theirs 97.65 % can; `confirm` reads back what was heard and is answered,
    where theirs goes unheard; a user denies a ticket that is not to be had, and asks again for what
    is unanswered after a good one; a later booking replaces an earlier one; a value is proposed
    from the first row that fits, not the most frequent one; the agent's proposals can be taken
    back; a dialogue fails with its 20th exchange, not with the 21st.

    Attributes:
      max_turn: turns of both together, an even number, 4 to 200.
      catalogue: `movies`, or a CSV file, its first row the names of slots (see
        `corpora.load_catalogue`).
      num_rows: rows of `movies`.
      seed: of `movies`.
      error_rate: default for `params.slot_error` and `params.intent_error`, 0 to 1.
      terms: those of the table where there are none.
    """

    max_turn: int = 40
    catalogue: str = MOVIES
    num_rows: int = 128
    seed: int = 0
    error_rate: float = 0.0
    terms: tuple[Term, ...] = ()

    def __post_init__(self):
        name = "BookingDialogue"
        check_whole(name, "max_turn", self.max_turn, 4, 200)
        if self.max_turn % 2:
            raise ValueError(
                f"{name}: max_turn must be even, as agent and user speak in turn, got "
                f"{self.max_turn}"
            )
        check_whole(name, "num_rows", self.num_rows, 1, 4096)
        check_whole(name, "seed", self.seed, 0, 2**31 - 1)
        check_number(name, "error_rate", self.error_rate, 0.0, 1.0)
        if not self.terms:
            terms = (
                Term("turn", _turn, weight=-1.0, source=_SOURCE),
                Term("success", _success, weight=2.0 * self.max_turn, source=_SOURCE),
                Term("failure", _failure, weight=-1.0 * self.max_turn, source=_SOURCE),
            )
            object.__setattr__(self, "terms", terms)
        super().__post_init__()

    # Sizes.

    @property
    def num_steps(self) -> int:
        """Most steps of an episode."""
        return self.max_turn // 2

    @property
    def table(self) -> Catalogue:
        """What there is to book, with its words."""
        return load_catalogue(self.catalogue, num_rows=self.num_rows, seed=self.seed)

    @property
    def num_slots(self) -> int:
        """S."""
        return len(self.table.slots)

    @property
    def num_known(self) -> int:
        """K, slots of the knowledge base."""
        return self.num_slots - 1

    @property
    def action_space(self) -> Discrete:
        return Discrete(booking_agent.num_actions(self.num_slots, self.num_known))

    @property
    def observation_space(self) -> Dict:
        num = self.num_slots
        return Dict(
            {
                "user_intent": Discrete(dialogue.NUM_USER_INTENTS),
                "informed": Box(0.0, 1.0, (num,)),
                "requested": Box(0.0, 1.0, (num + 1,)),
                "action": Discrete(self.action_space.num + 1),
                "known": Box(0.0, 1.0, (num + 1,)),
                "told": Box(0.0, 1.0, (num,)),
                "turn": Discrete(self.num_steps + 1),
                "matches": Box(0.0, 1.0, (num + 2,)),
            }
        )

    @property
    def default_params(self) -> DialogueParams:
        return DialogueParams(
            weights=self.default_weights,
            base=self.table.knowledge_base(),
            constraint_rate=jnp.float32(0.5),
            request_rate=jnp.float32(0.2),
            slot_error=jnp.float32(self.error_rate),
            intent_error=jnp.float32(self.error_rate),
        )

    # The contract.

    def initial_state(self, key: Key, params: DialogueParams) -> DialogueState:
        base = params.base
        if base.num_slots != self.num_slots:
            raise ValueError(
                f"BookingDialogue: params.base must have {self.num_slots} slots, "
                f"{', '.join(self.table.slots)}, got {base.num_slots}"
            )
        num = self.num_slots
        words = jax.random.bits(key, (num + 2,), jnp.uint32)
        drawn = words[2:]
        again = mixed(drawn)  # a word a slot, as drawing is what a reset costs most
        row = base.codes[(words[0] % base.codes.shape[0]).astype(jnp.int32)]
        free = (mixed(~again) % base.num_values.astype(jnp.uint32)).astype(jnp.int32)
        values = jnp.where(base.is_free, free, row)
        chance = uniform(drawn)
        is_wish = chance < params.constraint_rate
        is_request = ~is_wish & (chance < params.constraint_rate + params.request_rate)
        agenda = (again >> 1).astype(jnp.int32)
        has_value = values >= 0
        user = dialogue.new_user(
            base.is_free | (is_wish & has_value),
            ~base.is_free & is_request & has_value,
            values,
            agenda,
        )
        return self._begin(user, words[1], params)[0]

    def next_state(
        self, key: Key, state: DialogueState, action: Array, params: DialogueParams
    ) -> DialogueState:
        action = jnp.clip(action, 0, self.action_space.num - 1).astype(jnp.int32)
        return self._exchange(state, action, params)[0]

    def observe(self, state: DialogueState, params: DialogueParams) -> dict[str, Array]:
        belief, base = state.belief, params.base
        fits = self._fitting(state, params)
        shares = jnp.stack([base.share(fits.told), base.share(fits.known)])
        num_actions = self.action_space.num
        known = jnp.append(belief.known != UNKNOWN, belief.is_booked)
        return {
            "user_intent": state.heard.intent,
            "informed": state.heard.informed.astype(jnp.float32),
            "requested": state.heard.requested.astype(jnp.float32),
            "action": jnp.where(state.step > 0, state.actions.lag(0), num_actions),
            "known": known.astype(jnp.float32),
            "told": belief.told.astype(jnp.float32),
            "turn": state.step,
            "matches": jnp.concatenate([base.slot_shares(belief.known), shares]),
        }

    def action_mask(self, state: DialogueState, params: DialogueParams) -> Array:
        fits = self._fitting(state, params)
        return booking_agent.allowed(state.belief, params.base, fits, self.num_known)

    def end(self, state: DialogueState, params: DialogueParams) -> tuple[Array, Array]:
        return state.outcome != dialogue.OPEN, jnp.bool_(False)

    def rule_action(self, observation: PyTree) -> Array:
        return booking_agent.rule_action(observation, self.num_known)

    def work(self, state: DialogueState, params: DialogueParams) -> Dialogue:
        """The turns so far: the dialogue, played again."""
        user = dialogue.new_user(
            state.user.constraints, state.user.requests, state.user.values, state.user.agenda
        )
        actions, is_made = state.actions.from_start(state.step)
        start, said, heard = self._begin(user, state.noise, params)

        def exchange(state: DialogueState, action: Array) -> tuple[DialogueState, Any]:
            state, *acts = self._exchange(state, action, params)
            return state, acts

        _, acts = jax.lax.scan(exchange, start, actions)
        agent, replies, replies_heard = acts
        spoken = _turns(said, agent, replies)
        understood = _turns(heard, agent, replies_heard)
        is_said = jnp.concatenate([jnp.ones(1, jnp.bool_), jnp.repeat(is_made, 2)])
        return Dialogue(
            intents=jnp.where(is_said, spoken.intent, 0),
            values=jnp.where(is_said[:, None] & spoken.informed, spoken.values, jnp.int32(UNKNOWN)),
            requests=is_said[:, None] & spoken.requested,
            tickets=jnp.where(is_said, spoken.ticket, 0),
            heard_intents=jnp.where(is_said, understood.intent, 0),
            heard_values=jnp.where(
                is_said[:, None] & understood.informed, understood.values, jnp.int32(UNKNOWN)
            ),
            constraints=jnp.where(user.constraints, user.values, UNKNOWN),
            wishes=user.requests,
            outcome=state.outcome,
            length=1 + 2 * state.step,
            slots=self.table.slots,
            words=self.table.words,
        )

    # Its parts, for who takes the user's place.

    def listening(self, user: User, noise: Array) -> DialogueState:
        """Before the first word."""
        nothing = jnp.zeros(self.num_slots, jnp.bool_)
        silence = dialogue.act(
            jnp.int32(dialogue.INFORM),
            nothing,
            user.values,
            jnp.append(nothing, False),
            jnp.int32(dialogue.NOT_MENTIONED),
        )
        return DialogueState(
            user=user,
            belief=booking_agent.new_belief(self.num_slots),
            heard=silence,
            actions=ShiftRegister.create(self.num_steps, self.action_space.num),
            noise=noise,
            step=jnp.int32(0),
            outcome=jnp.int32(dialogue.OPEN),
        )

    def agent_turn(
        self, state: DialogueState, action: Array, params: DialogueParams
    ) -> tuple[DialogueState, Act]:
        """After the agent's turn, which the user has listened to; and what was said."""
        belief, said = booking_agent.speak(state.belief, action, params.base, self.num_known)
        user = dialogue.listened(state.user, said)
        step = state.step + 1
        is_closed = said.intent == dialogue.CLOSE
        is_success = is_closed & dialogue.is_satisfied(user)
        outcome = jnp.where(is_success, dialogue.SUCCESS, dialogue.FAILURE)
        is_over = is_closed | (step >= self.num_steps)
        state = state.replace(
            user=user,
            belief=belief,
            actions=state.actions.push(action),
            step=step,
            outcome=jnp.where(is_over, outcome, dialogue.OPEN).astype(jnp.int32),
        )
        return state, said

    def user_turn(
        self, state: DialogueState, said: Act, params: DialogueParams
    ) -> tuple[DialogueState, Act]:
        """After a turn of the user; and what the agent heard of it."""
        heard = misheard(
            said,
            state.noise,
            state.step,
            params.base.num_values,
            params.slot_error,
            params.intent_error,
        )
        return state.replace(belief=booking_agent.heard(state.belief, heard), heard=heard), heard

    # Inside.

    def _fitting(self, state: DialogueState, params: DialogueParams) -> Fitting:
        return booking_agent.fitting(state.belief, params.base)

    def _begin(
        self, user: User, noise: Array, params: DialogueParams
    ) -> tuple[DialogueState, Act, Act]:
        """After the user's first turn; what was said, and what was heard."""
        user, said = dialogue.opening(user)
        state, heard = self.user_turn(self.listening(user, noise), said, params)
        return state, said, heard

    def _exchange(
        self, state: DialogueState, action: Array, params: DialogueParams
    ) -> tuple[DialogueState, Act, Act, Act]:
        """After a turn of the agent and the reply: what the agent says, the reply, as heard."""
        state, said = self.agent_turn(state, action, params)
        user, answer = dialogue.reply(state.user, said)
        is_late = (state.outcome != dialogue.OPEN) & (said.intent != dialogue.CLOSE)
        goodbye = dialogue.act(
            jnp.int32(dialogue.CLOSE),
            jnp.zeros_like(answer.informed),
            answer.values,
            jnp.zeros_like(answer.requested),
            answer.ticket,
        )
        answer = jax.tree.map(lambda late, other: jnp.where(is_late, late, other), goodbye, answer)
        state, heard = self.user_turn(state.replace(user=user), answer, params)
        return state, said, answer, heard


def _turns(first: Act, agent: Act, replies: Act) -> Act:
    """All turns in order, leaves [1 + 2 T, ...], of the first and of T exchanges."""

    def woven(first: Array, said: Array, answered: Array) -> Array:
        pairs = jnp.stack([said, answered], axis=1)
        return jnp.concatenate([first[None], pairs.reshape(-1, *said.shape[1:])])

    return jax.tree.map(woven, first, agent, replies)
