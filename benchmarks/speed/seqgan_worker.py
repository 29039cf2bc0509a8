"""Our SeqGAN; worker of `seqgan_round`. One unit is an update of the third phase, one program."""

import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.speed import seqgan_task as task
from benchmarks.speed import worker


def make_learner() -> Any:
    """The task's SeqGAN on random tokens, which is beyond its first phases from the start."""
    import jax.numpy as jnp
    import numpy as np

    from creative_rl.configs import SeqGANConfig
    from creative_rl.envs.text_oracle import OracleText
    from creative_rl.learners.seqgan import seqgan
    from creative_rl.stores.sequences import Sequences

    env = OracleText(num_tokens=task.TOKENS, length=task.LENGTH)
    shape = (task.SAMPLES, task.LENGTH + 1)
    windows = np.random.default_rng(0).integers(0, task.TOKENS, shape, np.uint16)
    config = SeqGANConfig(
        batch_size=task.BATCH,
        embedding_size=task.WIDTH,
        memory_size=task.WIDTH,
        num_rollouts=task.ROLLOUTS,
        num_discriminator_rounds=task.ROUNDS,
        num_discriminator_epochs=task.EPOCHS,
        discriminator_embedding=task.CRITIC_WIDTH,
        windows=task.WINDOWS,
        filters=task.FILTERS,
        pretrain_updates=0,
        discriminator_pretrain_updates=0,
        policy_learning_rate=task.LEARNING_RATE,
        discriminator_learning_rate=task.CRITIC_RATE,
        rollout_decay=task.DECAY,
        dropout=task.DROPOUT,
        l2_coef=task.L2,
        max_grad_norm=task.MAX_NORM,
    )
    train = jnp.asarray(windows)
    return seqgan(env, config, Sequences(train, train[: task.BATCH]))


def main() -> None:
    worker.own_the_output()
    import jax

    learner = make_learner()
    state = learner.init(jax.random.key(0))
    networks = {"generator": state.generator, "discriminator": state.discriminator}
    sizes = {
        name: sum(leaf.size for leaf in jax.tree.leaves(variables))
        for name, variables in networks.items()
    }
    worker.check_parameters(sizes, task.NUM_PARAMETERS)
    update, build = worker.built(jax.jit(learner.update, donate_argnums=0), state)
    state, _ = jax.block_until_ready(update(state))
    states = [state]

    def unit(number: int) -> Mapping[str, Any]:
        states[0], metrics = jax.block_until_ready(update(states[0]))
        return {"steps": 1, "loss": float(metrics["discriminator_loss"])}

    about = {"device": worker.device(), "build": build, "versions": worker.versions("jax")}
    worker.serve(about, {"update": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
