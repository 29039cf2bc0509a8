"""A discriminator as a reward: it learns to tell examples from what was made.

It lives in an environment's params, so that rewards stay pure functions and learners train it
through `update_params`, once an update (Ganin et al., SPIRAL, ICML 2018, section 3.2; the loss is
that of Goodfellow et al., arXiv 1406.2661, with R1, Mescheder et al., arXiv 1801.04406, in place of
SPIRAL's Wasserstein loss with gradient penalty).
"""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.ops import adversarial
from creative_rl.ops.levels import as_floats
from creative_rl.typing import Array, Key, PyTree

BATCH_SIZE = 64
"""Pictures of either kind in a step."""
_adam = optax.scale_by_adam(b1=0.5)


class Judge(flax.struct.PyTreeNode):
    """What a discriminator has learned, and how it learns."""

    variables: PyTree
    opt_state: PyTree
    seed: Array  # uint32: of what it draws; params hold no keys, which are consumed once
    num_steps: Array  # int32
    learning_rate: Array  # float32: step size of Adam
    penalty_coef: Array  # float32: weight of R1
    loss: Array  # float32, of the last step, before the penalty
    real_score: Array  # float32: mean, of the last step
    fake_score: Array  # float32: mean, of the last step


def init(network: Any, key: Key, shape: tuple[int, int, int]) -> Judge:
    """A judge of pictures of `shape` (H, W, C) that has seen nothing.

    Args:
      network: flax module from pictures float32[..., H, W, C] in 0..1 to scores [..., 1].
      key: of its weights and of what it will see.
      shape: of the pictures.
    """
    key_network, key_seed = jax.random.split(key)
    variables = network.init(key_network, jnp.zeros(shape, jnp.float32))
    return Judge(
        variables=variables,
        opt_state=_adam.init(variables),
        seed=jax.random.bits(key_seed, (), jnp.uint32),
        num_steps=jnp.int32(0),
        learning_rate=jnp.float32(5e-4),
        penalty_coef=jnp.float32(1.0),
        loss=jnp.float32(0),
        real_score=jnp.float32(0),
        fake_score=jnp.float32(0),
    )


def likelihood(network: Any, judge: Judge, picture: Array) -> Array:
    """The probability, float32 in 0..1, that the judge gives a picture of being an example."""
    return jax.nn.sigmoid(network.apply(judge.variables, picture)[..., 0])


def learn(
    network: Any, judge: Judge, examples: Array, made: Array, counts: Array, num_steps: int
) -> Judge:
    """The judge after gradient steps on examples and on what was made.

    Args:
      network: as for `init`.
      judge: as it was.
      examples: uint8[M, H, W, C].
      made: uint8[N, H, W, C], or float32 in 0..1.
      counts: bool[N]: which of those are finished; with none of them nothing is learned.
      num_steps: gradient steps.
    """

    def loss_fn(variables: PyTree, real: Array, fake: Array) -> tuple[Array, Judge]:
        def score(pictures: Array) -> Array:
            return network.apply(variables, pictures)[..., 0]

        real_scores, fake_scores = score(real), score(fake)
        loss = adversarial.discriminator_loss("non_saturating", real_scores, fake_scores).mean()
        seen = judge.replace(
            loss=loss, real_score=real_scores.mean(), fake_score=fake_scores.mean()
        )
        return loss + judge.penalty_coef * adversarial.zero_penalty(score, real), seen

    def step(judge: Judge, _: None) -> tuple[Judge, None]:
        key_real, key_fake = jax.random.split(
            jax.random.fold_in(jax.random.key(judge.seed), judge.num_steps)
        )
        rows = jax.random.randint(key_real, (BATCH_SIZE,), 0, examples.shape[0])
        columns = jax.random.categorical(
            key_fake, jnp.where(counts, 0.0, -jnp.inf), shape=(BATCH_SIZE,)
        )
        real = as_floats(examples[rows])
        gradients, seen = jax.grad(loss_fn, has_aux=True)(
            judge.variables, real, as_floats(made[columns])
        )
        updates, opt_state = _adam.update(gradients, judge.opt_state)
        updates = jax.tree.map(lambda update: -judge.learning_rate * update, updates)
        variables = optax.apply_updates(judge.variables, updates)
        return judge.replace(
            variables=variables,
            opt_state=opt_state,
            num_steps=judge.num_steps + 1,
            loss=seen.loss,
            real_score=seen.real_score,
            fake_score=seen.fake_score,
        ), None

    def several(judge: Judge) -> Judge:
        return jax.lax.scan(step, judge, length=num_steps)[0]

    return jax.lax.cond(counts.any(), several, lambda judge: judge, judge)
