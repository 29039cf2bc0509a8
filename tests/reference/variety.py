"""The variety of a sliding window, with Python's own deque and set."""

from collections import deque


def variety_rewards(actions: list[int], window: int) -> list[float]:
    """The reward after every action: distinct notes among the last `window`, over `window`.

    The window starts full of zeros.
    """
    notes = deque([0] * window, maxlen=window)
    rewards = []
    for action in actions:
        notes.append(action)
        rewards.append(len(set(notes)) / window)
    return rewards
