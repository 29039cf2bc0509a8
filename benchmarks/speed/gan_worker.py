"""Our GAN; worker of `gan`. One unit is one update, a compiled program of many steps."""

import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.speed import gan_task, worker


def make_learner(num_steps: int) -> Any:
    """The task's GAN, on random pictures."""
    import jax.numpy as jnp
    import numpy as np

    from creative_rl.configs import GANConfig
    from creative_rl.envs.pixel_drawing import PixelDrawing
    from creative_rl.learners.gan import gan

    env = PixelDrawing(height=gan_task.SIDE, width=gan_task.SIDE)
    shape = (gan_task.NUM_EXAMPLES, *env.shape)
    pictures = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    config = GANConfig(
        batch_size=gan_task.BATCH,
        num_steps=num_steps,
        latent_size=gan_task.LATENT,
        channels=gan_task.CHANNELS,
        normalize=False,
        learning_rate=gan_task.LEARNING_RATE,
        discriminator_learning_rate=gan_task.LEARNING_RATE,
        adam_beta1=gan_task.BETAS[0],
        adam_beta2=gan_task.BETAS[1],
        ema_decay=gan_task.EMA_DECAY,
    )
    return gan(env, config, env.default_params.replace(targets=jnp.asarray(pictures)))


def main(num_steps: str) -> None:
    worker.own_the_output()
    import jax

    learner = make_learner(int(num_steps))
    state = learner.init(jax.random.key(0))
    sizes = {
        name: sum(leaf.size for leaf in jax.tree.leaves(variables))
        for name, variables in (
            ("generator", state.generator),
            ("discriminator", state.discriminator["params"]),
        )
    }
    worker.check_parameters(sizes, gan_task.NUM_PARAMETERS)
    update, build = worker.built(jax.jit(learner.update, donate_argnums=0), state)
    state, _ = jax.block_until_ready(update(state))
    states = [state]

    def unit(number: int) -> Mapping[str, Any]:
        states[0], metrics = jax.block_until_ready(update(states[0]))
        loss = float(metrics["discriminator_loss"])
        return {"steps": int(num_steps), "loss": loss}

    about = {"device": worker.device(), "build": build, "versions": worker.versions("jax")}
    worker.serve(about, {"update": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
