"""The GAN that is trained on both sides: DCGAN's shapes on pictures of 28 x 28, without its norms.

Only the standard library is imported here: a peer's worker runs in another interpreter.
"""

SIDE = 28
BATCH = 128
LATENT = 100
CHANNELS = (64, 128)
LEARNING_RATE = 2e-4
BETAS = (0.5, 0.999)
EMA_DECAY = 0.999
NUM_EXAMPLES = 1_000

NUM_PARAMETERS = {
    # A dense layer to 7 x 7 x 128, and doubling convolutions to 64 and to 1 channels.
    "generator": (LATENT + 1) * 49 * CHANNELS[1]
    + 16 * CHANNELS[0] * CHANNELS[1]
    + CHANNELS[0]
    + 16 * CHANNELS[0]
    + 1,
    # Halving convolutions to 64 and 128 channels, and a score.
    "discriminator": 16 * CHANNELS[0]
    + CHANNELS[0]
    + 16 * CHANNELS[0] * CHANNELS[1]
    + CHANNELS[1]
    + 49 * CHANNELS[1]
    + 1,
}
"""Weights and biases; every worker checks its own."""
