"""A dialogue about booking in plain Python: sets of slots and dicts of values, one turn at a time.

Written from the specs of `envs.dialogue` and the lists of `ops.dialogue`, without either.
"""

import numpy as np
from reference.plain import Plain

ANY, NO_MATCH = "any", "none"
INTENTS = ("inform", "request", "affirm", "deny", "thanks", "close")
NUM_BITS = 1 << 32


def mixed(word):
    """32 bits, well mixed."""
    word = ((word ^ (word >> 16)) * 0x7FEB352D) % NUM_BITS
    word = ((word ^ (word >> 15)) * 0x846CA68B) % NUM_BITS
    return word ^ (word >> 16)


def is_below(word, rate):
    return np.float32(word >> 8) * np.float32(2**-24) < np.float32(rate)


class PlainBookingDialogue(Plain):
    """A user, and what the agent makes of it; `reset` draws a user."""

    def __init__(self, env):
        table = env.table
        self.rows = [dict(enumerate(row)) for row in table.codes.tolist()]
        self.sizes = [len(words) for words in table.words]
        self.num_slots, self.num_known = len(table.slots), len(table.slots) - 1
        self.num_actions = self.num_slots + self.num_known + 3
        self.max_turn, self.error_rate = env.max_turn, env.error_rate
        self.rng = np.random.default_rng(0)

    def reset(self):
        draw = self.rng.random
        row = self.rows[int(draw() * len(self.rows))]
        goal, wishes = {self.num_known: int(draw() * self.sizes[-1])}, set()
        for slot in range(self.num_known):
            chance = draw()
            if row[slot] >= 0 and chance < 0.5:
                goal[slot] = row[slot]
            elif row[slot] >= 0 and chance < 0.7:
                wishes.add(slot)
        agenda = self.rng.permutation(self.num_slots).tolist()
        return self.begin(goal, wishes, agenda, int(draw() * NUM_BITS))

    def start(self, state):
        user = state.user
        slots = range(self.num_slots)
        goal = {slot: int(user.values[slot]) for slot in slots if user.constraints[slot]}
        wishes = {slot for slot in slots if user.requests[slot]}
        return self.begin(goal, wishes, user.agenda.tolist(), int(state.noise))

    def begin(self, goal, wishes, agenda, noise):
        self.goal, self.agenda, self.noise = goal, agenda, noise
        self.unanswered, self.answers, self.booked = set(wishes), {}, False
        self.known, self.told, self.has_ticket = {}, set(), False
        self.exchanges, self.action = 0, self.num_actions
        said = {self.first(goal)} | ({0} & set(goal))
        self.untold = set(goal) - said
        self.asking = {self.first(wishes)} if wishes else {"ticket"}
        self.hear("request", {slot: goal[slot] for slot in said})
        return self.observation()

    def first(self, slots):
        return max(slots, key=lambda slot: self.agenda[slot])

    # The agent.

    def fits(self, row, question):
        return all(
            value == ANY or slot >= self.num_known or row[slot] == value
            for slot, value in question.items()
        )

    def matching(self, question, slot=None):
        """Rows that fit, and have a value of the slot."""
        found = [row for row in self.rows if self.fits(row, question)]
        return found if slot is None else [row for row in found if row[slot] >= 0]

    def what_was_told(self):
        return {slot: self.known[slot] for slot in self.told}

    def answer(self, slot):
        """What the agent informs, by slots."""
        others = {s: v for s, v in self.known.items() if s != slot or s in self.told}
        if found := self.matching(others, slot):
            return {slot: found[0][slot]}
        if found := self.matching(self.what_was_told(), slot):
            mended = {slot} | {s for s in self.known if s not in self.told}
            return {s: found[0][s] for s in mended if found[0][s] >= 0}
        return {slot: NO_MATCH}

    def hear(self, intent, informed):
        """What the agent hears, with errors."""
        here = mixed((self.noise + self.exchanges * 0x9E3779B9) % NUM_BITS)
        shift = 1 + mixed(here ^ 0x85EBCA6B) % (self.num_slots - 1)
        drawn = [mixed((here + (s + 1) * 0x85EBCA6B) % NUM_BITS) for s in range(self.num_slots)]
        again = [mixed((word + 0xC2B2AE35) % NUM_BITS) for word in drawn]
        heard, renamed = {}, {}
        for slot, value in informed.items():
            if not is_below(drawn[slot], self.error_rate):
                heard[slot] = value
            elif again[slot] % 3 == 0:
                heard[slot] = again[slot] // 3 % self.sizes[slot]
            elif again[slot] % 3 == 1:
                other = (slot + shift) % self.num_slots
                renamed[other] = again[other] // 3 % self.sizes[other]
        self.heard = {**renamed, **heard}
        choice = mixed(here)
        if intent != "close" and is_below(choice, self.error_rate):
            intent = INTENTS[mixed((choice + 0xC2B2AE35) % NUM_BITS) % 5]
        self.intent = intent
        self.known.update(self.heard)
        self.told |= set(self.heard)
        self.has_ticket = self.has_ticket and intent != "deny"

    # The user.

    def go_on(self):
        """The next of the agenda."""
        informed = {}
        if not self.asking:
            left = self.untold | self.unanswered
            if left:
                slot = self.first(left)
                if slot in self.untold:
                    informed = self.tell({slot})
                else:
                    self.asking.add(slot)
            elif not self.booked:
                self.asking.add("ticket")
        intent = "request" if self.asking else "inform" if informed else "thanks"
        self.hear(intent, informed)

    def tell(self, slots):
        self.untold -= slots
        return {slot: self.goal[slot] for slot in slots}

    def hear_request(self, slot):
        if slot in self.unanswered:
            self.asking.add(slot)
            self.hear("request", self.tell(set(self.untold)))
        else:
            self.asking.clear()
            self.untold.discard(slot)
            self.hear("inform", {slot: self.goal.get(slot, self.answers.get(slot, ANY))})

    def hear_answer(self, told):
        if NO_MATCH in told.values():
            self.hear("deny", {})
            return
        for slot, value in told.items():
            if slot not in self.goal:
                self.answers[slot] = value
                self.unanswered.discard(slot)
                self.asking.discard(slot)
            elif self.goal[slot] == value:
                self.untold.discard(slot)
        wrong = {slot for slot in told if self.goal.get(slot, told[slot]) != told[slot]}
        if wrong:
            self.hear("inform", self.tell(wrong))
        else:
            self.go_on()

    def hear_confirmation(self, told):
        right = {slot: self.goal.get(slot, self.answers.get(slot, ANY)) for slot in told}
        mended = {slot: value for slot, value in right.items() if value != told[slot]}
        for slot in set(self.goal) - self.untold - set(told):
            mended[slot] = self.goal[slot]
        self.untold -= set(mended)
        self.hear("inform" if mended else "affirm", mended)

    def hear_booking(self, told, is_available):
        self.booked = is_available and all(told.get(s) == v for s, v in self.goal.items())
        if self.booked:
            self.untold.clear()
            self.asking.discard("ticket")
            self.go_on()
        else:
            self.asking.clear()
            self.hear("deny", {})

    # Both.

    def step(self, action):
        self.exchanges, self.action = self.exchanges + 1, action
        kind = action - self.num_slots - self.num_known
        is_late = self.exchanges == self.max_turn // 2 and kind != 2
        if action < self.num_slots:
            turn = (self.hear_request, action)
        elif kind < 0:
            told = self.answer(action - self.num_slots)
            self.known.update({s: v for s, v in told.items() if v != NO_MATCH})
            turn = (self.hear_answer, told)
        elif kind == 0:
            turn = (self.hear_confirmation, dict(self.known))
        elif kind == 1:
            self.has_ticket = bool(self.matching(self.known))
            turn = (self.hear_booking, dict(self.known), self.has_ticket)
        else:
            is_success = self.booked and not self.unanswered
            self.hear("thanks" if is_success else "deny", {})
            return self.observation(), 2.0 * self.max_turn if is_success else -self.max_turn, True
        if is_late:
            return self.end_late(turn)
        turn[0](*turn[1:])
        return self.observation(), -1.0, False

    def end_late(self, turn):
        """What the user would have said is not heard, but what it asks for stays in mind."""
        known, told, has_ticket = dict(self.known), set(self.told), self.has_ticket
        turn[0](*turn[1:])
        self.known, self.told, self.has_ticket = known, told, has_ticket
        self.asking = set()
        self.hear("close", {})
        return self.observation(), -self.max_turn, True

    def observation(self):
        num = self.num_slots

        def flags(slots, size=num):
            row = np.zeros(size, np.float32)
            row[[num if slot == "ticket" else slot for slot in slots]] = 1
            return row

        questions = [{s: self.known[s]} if s in self.known else {} for s in range(num)]
        questions += [self.what_was_told(), self.known]
        shares = [len(self.matching(question)) / len(self.rows) for question in questions]
        known = {*self.known, *({"ticket"} if self.has_ticket else ())}
        return {
            "user_intent": np.int32(INTENTS.index(self.intent)),
            "informed": flags(self.heard),
            "requested": flags(self.asking, num + 1),
            "action": np.int32(self.action),
            "known": flags(known, num + 1),
            "told": flags(self.told),
            "turn": np.int32(self.exchanges),
            "matches": np.array(shares, np.float32),
        }
