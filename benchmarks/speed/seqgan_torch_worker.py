"""The same round in PyTorch, in the form that ports of SeqGAN have; worker of `seqgan_round`.

Roll-outs go prefix by prefix, the sequences of a batch side by side: the state after the forced
tokens is computed once for a prefix and roll-out, then tokens are drawn one by one.
"""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.speed import seqgan_task as task
from benchmarks.speed import worker


def make_generator() -> Any:
    """Embeddings, an LSTM cell with one bias, and a layer to all tokens."""
    import torch
    from torch import nn

    class Generator(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(task.TOKENS, task.WIDTH)
            self.inputs = nn.Linear(task.WIDTH, 4 * task.WIDTH)
            self.recurrent = nn.Linear(task.WIDTH, 4 * task.WIDTH, bias=False)
            self.head = nn.Linear(task.WIDTH, task.TOKENS)
            for weights in self.parameters():
                nn.init.normal_(weights, std=0.1)

        def step(self, tokens, memory):
            """The memory after tokens [N]."""
            cell, output = memory
            gates = self.inputs(self.embedding(tokens)) + self.recurrent(output)
            into, forget, out, candidate = gates.chunk(4, dim=1)
            cell = forget.sigmoid() * cell + into.sigmoid() * candidate.tanh()
            return cell, out.sigmoid() * cell.tanh()

        def fresh(self, num):
            zeros = torch.zeros(num, task.WIDTH)
            return zeros, zeros

        def log_probs(self, tokens):
            """Of all tokens [N, T], given those before them."""
            before = torch.cat([torch.zeros_like(tokens[:, :1]), tokens[:, :-1]], 1)
            memory, outputs = self.fresh(len(tokens)), []
            for place in range(task.LENGTH):
                memory = self.step(before[:, place], memory)
                outputs.append(memory[1])
            logits = self.head(torch.stack(outputs, 1))
            return logits.log_softmax(-1).gather(2, tokens[..., None])[..., 0]

        @torch.no_grad()
        def complete(self, tokens):
            """Prefixes [N, n], n at least 0, drawn to their end."""
            memory = self.fresh(len(tokens))
            last = torch.zeros(len(tokens), dtype=torch.long)
            found = list(tokens.unbind(1))
            for token in found:
                memory, last = self.step(last, memory), token
            while len(found) < task.LENGTH:
                memory = self.step(last, memory)
                last = torch.multinomial(self.head(memory[1]).softmax(-1), 1)[:, 0]
                found.append(last)
            return torch.stack(found, 1)

    return Generator()


def make_discriminator() -> Any:
    """Convolutions of every width, their greatest responses, a highway layer, one score."""
    import torch
    from torch import nn

    class Discriminator(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(task.TOKENS, task.CRITIC_WIDTH)
            self.convolutions = nn.ModuleList(
                nn.Conv1d(task.CRITIC_WIDTH, num, window)
                for window, num in zip(task.WINDOWS, task.FILTERS, strict=True)
            )
            self.changed = nn.Linear(task.FEATURES, task.FEATURES)
            self.gate = nn.Linear(task.FEATURES, task.FEATURES)
            self.dropout = nn.Dropout(task.DROPOUT)
            self.head = nn.Linear(task.FEATURES, 1)

        def forward(self, tokens):
            embedded = self.embedding(tokens).transpose(1, 2)
            features = torch.cat([c(embedded).relu().amax(2) for c in self.convolutions], 1)
            gate = self.gate(features).sigmoid()
            features = gate * self.changed(features).relu() + (1 - gate) * features
            return self.head(self.dropout(features))[:, 0]

    return Discriminator()


def make_round() -> Callable[[], Any]:
    """One adversarial round, which gives the discriminator's last loss."""
    import copy

    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    generator, discriminator = make_generator(), make_discriminator()
    sizes = {
        name: sum(weights.numel() for weights in network.parameters())
        for name, network in (("generator", generator), ("discriminator", discriminator))
    }
    worker.check_parameters(sizes, task.NUM_PARAMETERS)
    rollout = copy.deepcopy(generator)
    optimizer = torch.optim.Adam(generator.parameters(), task.LEARNING_RATE)
    critic_optimizer = torch.optim.Adam(discriminator.parameters(), task.CRITIC_RATE)
    real = torch.randint(task.TOKENS, (task.SAMPLES, task.LENGTH))

    def written(num: int) -> Any:
        return generator.complete(torch.zeros(num, 0, dtype=torch.long))

    @torch.no_grad()
    def rewards_of(tokens: Any) -> Any:
        discriminator.eval()
        values = torch.zeros(tokens.shape)
        for _ in range(task.ROLLOUTS):
            for prefix in range(1, task.LENGTH):
                completed = rollout.complete(tokens[:, :prefix])
                values[:, prefix - 1] += discriminator(completed).sigmoid()
        values /= task.ROLLOUTS
        values[:, -1] = discriminator(tokens).sigmoid()
        discriminator.train()
        return values

    def train_discriminator() -> Any:
        fake = torch.cat([written(task.BATCH) for _ in range(task.SAMPLES // task.BATCH)])
        pool = torch.cat([real, fake])
        labels = torch.cat([torch.ones(len(real)), torch.zeros(len(fake))])
        for _ in range(task.EPOCHS):
            for rows in torch.randperm(len(pool)).split(task.BATCH):
                loss = binary_cross_entropy_with_logits(discriminator(pool[rows]), labels[rows])
                head = sum(weights.square().sum() for weights in discriminator.head.parameters())
                critic_optimizer.zero_grad()
                (loss + task.L2 * head / 2).backward()
                critic_optimizer.step()
        return loss

    def adversarial_round() -> Any:
        tokens = written(task.BATCH)
        rewards = rewards_of(tokens)
        optimizer.zero_grad()
        (-(generator.log_probs(tokens) * rewards).sum()).backward()
        torch.nn.utils.clip_grad_norm_(generator.parameters(), task.MAX_NORM)
        optimizer.step()
        with torch.no_grad():
            for old, new in zip(rollout.parameters(), generator.parameters(), strict=True):
                old.lerp_(new, 1 - task.DECAY)
            rollout.embedding.weight.copy_(generator.embedding.weight)
        for _ in range(task.ROUNDS):
            loss = train_discriminator()
        return loss

    return adversarial_round


def main() -> None:
    worker.own_the_output()
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    adversarial_round = make_round()

    def unit(number: int) -> Mapping[str, Any]:
        return {"steps": 1, "loss": adversarial_round().item()}

    unit(0)
    worker.serve({"versions": {"torch": torch.__version__}}, {"update": unit})


if __name__ == "__main__":
    main(*sys.argv[1:])
