"""The same GAN in PyTorch; worker of `gan`, run by an interpreter that has it."""

import copy
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.speed import gan_task, worker


def networks() -> tuple[Any, Any]:
    """Generator and discriminator, in the memory layout that is faster here (channels last)."""
    import torch
    from torch import nn

    small, large = gan_task.CHANNELS
    base = gan_task.SIDE // 4
    generator = nn.Sequential(
        nn.Linear(gan_task.LATENT, large * base * base),
        nn.ReLU(),
        nn.Unflatten(1, (large, base, base)),
        nn.ConvTranspose2d(large, small, 4, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(small, 1, 4, 2, 1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(1, small, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(small, large, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(large * base * base, 1),
    )
    layout = torch.channels_last
    return generator.to(memory_format=layout), discriminator.to(memory_format=layout)


def make_step() -> Callable[[], Any]:
    """One step of the discriminator and one of the generator, which gives the former's loss."""
    import torch
    from torch.nn.functional import softplus

    generator, discriminator = networks()
    mean_generator = copy.deepcopy(generator)
    sizes = {
        name: sum(weights.numel() for weights in network.parameters())
        for name, network in (("generator", generator), ("discriminator", discriminator))
    }
    worker.check_parameters(sizes, gan_task.NUM_PARAMETERS)
    optimizers = [
        torch.optim.Adam(network.parameters(), gan_task.LEARNING_RATE, betas=gan_task.BETAS)
        for network in (generator, discriminator)
    ]
    shape = (gan_task.NUM_EXAMPLES, 1, gan_task.SIDE, gan_task.SIDE)
    examples = torch.randint(0, 256, shape, dtype=torch.uint8)

    def made() -> Any:
        return generator(torch.randn(gan_task.BATCH, gan_task.LATENT))

    def step() -> Any:
        rows = torch.randint(0, gan_task.NUM_EXAMPLES, (gan_task.BATCH,))
        real = examples[rows].float() / 127.5 - 1.0
        with torch.no_grad():
            fake = made()
        scores = discriminator(torch.cat([real, fake]))
        real_scores, fake_scores = scores.chunk(2)
        loss = softplus(-real_scores).mean() + softplus(fake_scores).mean()
        optimizers[1].zero_grad()
        loss.backward()
        optimizers[1].step()
        # The discriminator's own gradients are not needed here.
        discriminator.requires_grad_(False)
        optimizers[0].zero_grad()
        softplus(-discriminator(made())).mean().backward()
        discriminator.requires_grad_(True)
        optimizers[0].step()
        with torch.no_grad():
            torch._foreach_lerp_(
                list(mean_generator.parameters()),
                list(generator.parameters()),
                1.0 - gan_task.EMA_DECAY,
            )
        return loss

    return step


def main(num_steps: str) -> None:
    worker.own_the_output()
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    step = make_step()

    def unit(number: int) -> Mapping[str, Any]:
        for _ in range(int(num_steps)):
            loss = step()
        return {"steps": int(num_steps), "loss": float(loss)}

    unit(0)
    worker.serve({"versions": {"torch": torch.__version__}}, {"update": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
