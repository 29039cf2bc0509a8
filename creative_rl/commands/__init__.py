"""Commands of `creative-rl`, words in and words out. None imports JAX before its line is read."""
