"""SeqGAN's oracle with one NumPy vector a token: `creative_rl.envs.text_oracle`."""

import numpy as np
from reference.plain import Plain


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class PlainLSTM:
    """A `TokenLSTM`, gate by gate, in double precision."""

    def __init__(self, lstm):
        weights = {name: np.asarray(getattr(lstm, name), np.float64) for name in (
            "embedding", "inputs", "recurrent", "bias", "head", "head_bias"
        )}  # fmt: skip
        self.embedding, self.head, self.head_bias = (
            weights[name] for name in ("embedding", "head", "head_bias")
        )
        self.gates = list(zip(*(
            np.split(weights[name], 4, axis=-1) for name in ("inputs", "recurrent", "bias")
        ), strict=True))  # fmt: skip

    def reset(self):
        self.cell = self.output = np.zeros(len(self.head))

    def log_probs(self, token):
        """Of every next token, after one more."""
        x = self.embedding[token]
        into, forget, out, candidate = (x @ w + self.output @ u + b for w, u, b in self.gates)
        self.cell = sigmoid(forget) * self.cell + sigmoid(into) * np.tanh(candidate)
        self.output = sigmoid(out) * np.tanh(self.cell)
        logits = self.output @ self.head + self.head_bias
        return logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())


class PlainOracleText(Plain):
    """`OracleText` with its default params."""

    def __init__(self, env):
        self.length, self.num_actions = env.length, env.num_tokens
        self.lstm = PlainLSTM(env.default_params.oracle)

    def reset(self):
        self.lstm.reset()
        self.seen = self.time = 0
        return self.observation()

    def observation(self):
        return np.int32(self.seen)

    def step(self, action):
        reward = self.lstm.log_probs(self.seen)[action]
        self.seen = action
        self.time += 1
        return self.observation(), reward, self.time >= self.length
