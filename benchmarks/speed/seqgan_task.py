"""The adversarial round that is raced: SeqGAN's generator and roll-outs, a small discriminator.

Only the standard library is imported here: a peer's worker runs in another interpreter.
"""

TOKENS = 5000
LENGTH = 20
BATCH = 64
WIDTH = 32
"""Of the generator's embeddings and memory."""
ROLLOUTS = 16
CRITIC_WIDTH = 64
WINDOWS = (1, 2, 3, 4, 5)
FILTERS = (100, 100, 100, 100, 100)
FEATURES = sum(FILTERS)
SAMPLES = 320
"""New sequences for the discriminator in a round, and as many real ones."""
ROUNDS, EPOCHS = 1, 3
DROPOUT = 0.25
L2 = 0.2
LEARNING_RATE, CRITIC_RATE = 1e-2, 1e-4
MAX_NORM = 5.0
DECAY = 0.8

NUM_PARAMETERS = {
    "generator": TOKENS * WIDTH + 4 * (2 * WIDTH + 1) * WIDTH + (WIDTH + 1) * TOKENS,
    "discriminator": TOKENS * CRITIC_WIDTH
    + sum((w * CRITIC_WIDTH + 1) * f for w, f in zip(WINDOWS, FILTERS, strict=True))
    + 2 * (FEATURES + 1) * FEATURES
    + FEATURES
    + 1,
}
"""Weights and biases; every worker checks its own."""
