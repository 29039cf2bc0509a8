"""Subwords by byte-pair encoding, of whole characters, so that they join to the text again."""

from collections.abc import Callable, Sequence

from creative_rl.works.vocabulary import Vocabulary

_PIECES = r"\n| ?[^\s]+|[^\S\n]"
"""What is never joined with its neighbours: a line's end; a word, with the space before it."""


def learn(
    texts: Sequence[str], characters: Sequence[str], num: int
) -> tuple[Vocabulary, Callable[[str], list[int]]]:
    """A vocabulary of at most `num` tokens, and what turns a text into them.

    The pairs of tokens that stand side by side most often are joined, one after the other
    (Sennrich et al., ACL 2016), inside words; every character is a token, so that all can be
    written.

    Args:
      texts: to learn the pairs from.
      characters: all that are to be written.
      num: tokens, more than there are characters.

    Raises:
      ValueError: `num` is not more than the characters.
      ImportError: tokenizers is not installed.
    """
    try:
        import tokenizers
    except ImportError as error:
        raise ImportError("subwords need tokenizers: pip install 'creative_rl[text]'") from error
    if num <= len(characters):
        raise ValueError(
            f"num_subwords must be more than the {len(characters)} characters of the text, got "
            f"{num}; leave it out to write with characters"
        )
    encoder = tokenizers.Tokenizer(tokenizers.models.BPE())
    encoder.pre_tokenizer = tokenizers.pre_tokenizers.Split(
        tokenizers.Regex(_PIECES), behavior="isolated"
    )
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=num, initial_alphabet=list(characters), show_progress=False, min_frequency=2
    )
    encoder.train_from_iterator(texts, trainer)
    numbers = encoder.get_vocab()
    vocabulary = Vocabulary(sorted(numbers, key=numbers.__getitem__))
    return vocabulary, lambda text: encoder.encode(text).ids
