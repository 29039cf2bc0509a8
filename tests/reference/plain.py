"""An environment in plain Python, one at a time, as tutorials write it.

`Plain<Class>` in the file that is called as the environment's module is its slow twin: it is built
from the environment, plays with the default params, and is what benchmarks.speed measures against.
"""


class Plain:
    """Base of the twins.

    A twin has `num_actions`, `reset() -> observation` and `step(action) -> (observation, reward,
    whether the episode is over)`; observations are NumPy arrays, or dicts of them.
    """

    def start(self, state):
        """Take over what the environment drew for `state`, after `reset`; the observation of it."""
        return self.observation()

    def foresee(self, after):
        """Take over what the environment draws in the next step, which leads to `after`."""
