"""Texts on plain strings and lists: `creative_rl.envs.text`."""

import math
import re
from collections import Counter

import numpy as np
from reference.plain import Plain

VOWELS = "aeiouy"


def grams(tokens, n):
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def clipped(tokens, references, n):
    """The n-grams that a reference has, each as often as the one that has it most."""
    most = Counter()
    for reference in references:
        most |= Counter(grams(reference, n))
    return sum((Counter(grams(tokens, n)) & most).values())


def bleu(tokens, references):
    """BLEU-4 with 0.1 for a count of 0, except of single tokens."""
    logs = []
    for n in range(1, 5):
        count = clipped(tokens, references, n)
        if n == 1 and not count:
            return 0.0
        logs.append(math.log((count or 0.1) / max(len(tokens) - n + 1, 1)) / 4)
    nearest = min((abs(len(row) - len(tokens)), len(row)) for row in references)[1]
    return math.exp(sum(logs) + min(0.0, 1 - nearest / len(tokens)))


def syllables(word):
    count = len(re.findall(f"[{VOWELS}]+", word))
    is_silent = re.search(f"[^{VOWELS}]e$", word) and not re.search(f"[^{VOWELS}]le$", word)
    return max(count - bool(is_silent and count > 1), 1)


def ending(word):
    """What it rhymes by: from its last syllable's vowels on."""
    starts = [match.start() for match in re.finditer(f"[{VOWELS}]+", word)]
    if not starts:
        return ""
    if len(starts) > 1 and re.search(f"[^{VOWELS}]e$", word):
        return word[starts[-2] :]
    return word[starts[-1] :]


def verse(lines, wanted, lag):
    """How many lines rhyme as they should, and what their syllables are worth."""
    words = [re.findall("[a-z]+", line.replace("'", "")) for line in lines]
    words = [row for row in words if row]
    rhymes = metre = 0.0
    for number, row in enumerate(words):
        distance = abs(sum(map(syllables, row)) - wanted[number % len(wanted)])
        metre += max(0.0, 1 - distance / 2)
        if number // lag % 2:
            mine, other = row[-1], words[number - lag][-1]
            rhymes += ending(mine) == ending(other) != "" and mine != other
    return rhymes, metre


class PlainFreeText(Plain):
    """`FreeText` with its default params."""

    def __init__(self, env):
        params = env.default_params
        self.length, self.num_actions = env.length, len(env.letters)
        self.letters, self.first = env.letters, env.start
        self.references = [row[row >= 0].tolist() for row in np.asarray(params.references)]
        self.repeat_length = int(params.repeat_length)
        self.weights = {name: float(weight) for name, weight in params.weights.items()}
        self.params = params

    def reset(self):
        self.tokens, self.seen, self.is_over = [], self.first, False
        self.time = 0
        self.sums = self.measures()
        return self.observation()

    def observation(self):
        return np.int32(self.seen)

    def measures(self):
        """What terms pay the growth of."""
        tokens, n = self.tokens, self.repeat_length
        runs = grams(tokens, n)
        return {
            "repetition": -sum(runs[i] in runs[:i] for i in range(len(runs))),
            "overlap": sum(clipped(tokens, self.references, n) for n in range(1, 5)) / 4,
            "bleu": bleu(tokens, self.references) if self.is_over else 0.0,
        }

    def step(self, action):
        self.time += 1
        self.seen = action
        if not self.is_over:
            self.tokens.append(action)
            self.is_over = action == self.letters.end or self.time == self.length
        before, self.sums = self.sums, self.measures()
        self.terms = {name: self.sums[name] - before[name] for name in self.weights}
        reward = sum(self.weights[name] * value for name, value in self.terms.items())
        return self.observation(), reward, self.time >= self.length


class PlainVerseText(PlainFreeText):
    """`VerseText` with its default params."""

    def measures(self):
        text = "".join(self.letters.pieces[token] for token in self.tokens)
        lines = text.split("\n")
        if not self.is_over:
            lines = lines[:-1]
        wanted, lag = np.asarray(self.params.syllables).tolist(), int(self.params.rhyme_lag)
        rhyme, metre = verse(lines, wanted, lag)
        return {**super().measures(), "rhyme": rhyme, "metre": metre}
