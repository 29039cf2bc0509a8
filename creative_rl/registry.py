"""Names to environments and learners: one literal table, resolved when asked for.

Importing this module imports nothing else, so that command lines can list and refuse early.
"""

import dataclasses
import difflib
import importlib
import re
from collections.abc import Callable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class EnvironmentEntry:
    """Where an environment is, one line about it, and the keywords that make the variant."""

    target: str
    summary: str
    keywords: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class LearnerEntry:
    """Where a learner's factory and its config are, one line about it, and what it takes.

    Attributes:
      target: the factory.
      config: its config.
      summary: one line.
      takes_prior: its factory has `prior_variables`, which the policy starts from.
      takes_corpus: it learns from a corpus.
      needs_corpus: it learns from nothing else: its factory takes sequences in place of params.
    """

    target: str
    config: str
    summary: str
    takes_prior: bool = False
    takes_corpus: bool = False
    needs_corpus: bool = False


def _representations(name: str, target: str, summary: str) -> dict[str, EnvironmentEntry]:
    """One problem of PCGRL in its three representations."""
    others = {
        "turtle": "the same; the agent moves over the map, and changes the tile that it is on",
        "wide": "the same; any tile of the map may be changed",
    }
    return {f"{name}-narrow": EnvironmentEntry(target, summary)} | {
        f"{name}-{kind}": EnvironmentEntry(target, line, {"representation": kind})
        for kind, line in others.items()
    }


ENVIRONMENTS: dict[str, EnvironmentEntry] = {
    "melody-variety": EnvironmentEntry(
        "creative_rl.envs.melody:VarietyMelody",
        "16 steps, 12 pitch classes; reward is the variety of a sliding window",
    ),
    "melody-target": EnvironmentEntry(
        "creative_rl.envs.melody:TargetMelody",
        "16 steps, 12 pitch classes; reward is 1 for every note of a target melody",
    ),
    "melody-target-tutorial": EnvironmentEntry(
        "creative_rl.envs.melody:TargetMelody",
        "3 states, 4 actions, 5 steps: the smallest melody, with a best return of 5",
        {"length": 5, "num_pitches": 4, "num_phases": 3, "target": (0, 2, 3, 0, 2)},
    ),
    "melody-theory": EnvironmentEntry(
        "creative_rl.envs.melody:TheoryMelody",
        "RL Tuner: 32 steps, 38 events, nine rules of music theory",
    ),
    "melody-mood": EnvironmentEntry(
        "creative_rl.envs.melody_mood:MoodMelody",
        "32 steps, 38 events, to a valence and an arousal that are given; told by a declared rule",
    ),
    "accompaniment-chord": EnvironmentEntry(
        "creative_rl.envs.accompaniment:Accompaniment",
        "online chords to a melody, 64 eighth notes: each chosen before its melody note is heard",
    ),
    "accompaniment-voice": EnvironmentEntry(
        "creative_rl.envs.accompaniment:Accompaniment",
        "online second voice to a melody, 64 eighth notes, judged by rules of counterpoint",
        {"part": "voice"},
    ),
    "accompaniment-mood": EnvironmentEntry(
        "creative_rl.envs.accompaniment_mood:MoodAccompaniment",
        "chords that follow a curve of valence and arousal, told by a declared rule",
    ),
    "chords": EnvironmentEntry(
        "creative_rl.envs.chords:Chords",
        "a chord progression in a key that is drawn, 16 half bars, judged by functional harmony",
    ),
    "adaptation": EnvironmentEntry(
        "creative_rl.envs.adaptation:Adaptation",
        "edit a melody into a style by 16 edits, and keep it recognisable: the actions are masked",
    ),
    "arrangement": EnvironmentEntry(
        "creative_rl.envs.arrangement:Arrangement",
        "a four-voice piece for an occasion: phrases, players and dynamics to a curve of energy",
    ),
    "text-oracle": EnvironmentEntry(
        "creative_rl.envs.text_oracle:OracleText",
        "SeqGAN's synthetic benchmark: 20 of 5,000 tokens, paid by an LSTM of random weights",
    ),
    "text": EnvironmentEntry(
        "creative_rl.envs.text:FreeText",
        "64 characters or tokens of your own: for what stands in references, against repetition",
    ),
    "text-verse": EnvironmentEntry(
        "creative_rl.envs.text:VerseText",
        "lines that rhyme and have their syllables, told by their spelling, 96 characters",
    ),
    "grid-path": EnvironmentEntry(
        "creative_rl.envs.grid_path:GridPath",
        "5 x 5 cells, 4 moves; -0.1 a step, 1 at the far corner: the best return is 0.2",
    ),
    "recommendation-interest": EnvironmentEntry(
        "creative_rl.envs.recommendation:InterestRecommendation",
        "RecSim's interest evolution: slates of 3 of 10 videos, until 200 minutes are watched",
    ),
    "recommendation-satisfaction": EnvironmentEntry(
        "creative_rl.envs.recommendation_satisfaction:SatisfactionRecommendation",
        "RecSim's long-term satisfaction: 60 steps, where clickbait pays at once and costs later",
    ),
    "recommendation-factors": EnvironmentEntry(
        "creative_rl.envs.recommendation_factors:FactorRecommendation",
        "one of 100 items a step, to tastes that drift; factors by a rule, or of your ratings",
    ),
    "recommendation-music": EnvironmentEntry(
        "creative_rl.envs.recommendation_factors:FactorRecommendation",
        "one of 64 songs a step, by rhythm, steps and range; what was chosen can be heard",
        {"catalogue": "songs", "num_items": 64, "num_factors": 4},
    ),
    "dialogue": EnvironmentEntry(
        "creative_rl.envs.dialogue:BookingDialogue",
        "TC-Bot: book a film ticket for a user who tells slot by slot what is wanted, 20 exchanges",
    ),
    **{
        f"dialogue-{name}": EnvironmentEntry(
            "creative_rl.envs.dialogue:BookingDialogue",
            f"the same; {percent} % of values and of intents are misheard",
            {"error_rate": percent / 100},
        )
        for name, percent in (("noisy", 15), ("noisier", 30))
    },
    **_representations(
        "level-binary",
        "creative_rl.envs.level:BinaryLevel",
        "PCGRL's labyrinth of 14 x 14 tiles: a tile is given in every step, and may be changed",
    ),
    **_representations(
        "level-zelda",
        "creative_rl.envs.level:ZeldaLevel",
        "PCGRL's dungeon, 11 x 7, with a player, a key, a door and enemies: a tile is given",
    ),
    **_representations(
        "level-sokoban",
        "creative_rl.envs.level_sokoban:SokobanLevel",
        "PCGRL's Sokoban, 5 x 5, to be solvable in many moves: a tile is given, and may be changed",
    ),
    "animation": EnvironmentEntry(
        "creative_rl.envs.animation:DirectedScene",
        "direct 48 frames of two sprites: moves, timing, camera and cuts that tell a story",
    ),
    "animation-pixels": EnvironmentEntry(
        "creative_rl.envs.pixel_animation:PixelAnimation",
        "a whole clip at once, 16 frames of 64 x 64 pixels: what generators of clips act in",
    ),
    "drawing-copy": EnvironmentEntry(
        "creative_rl.envs.stroke_drawing:StrokeDrawing",
        "Learning to Paint: 20 brush strokes that copy a picture, 64 x 64 pixels",
    ),
    "drawing-digits": EnvironmentEntry(
        "creative_rl.envs.stroke_drawing:StrokeDrawing",
        "10 brush strokes that copy a handwritten digit, 32 x 32 pixels",
        {"height": 32, "width": 32, "num_steps": 10, "targets": "digits"},
    ),
    "drawing-free": EnvironmentEntry(
        "creative_rl.envs.stroke_drawing:StrokeDrawing",
        "20 coloured brush strokes, paid by rules of composition such as balance and contrast",
        {"goal": "free", "channels": 3, "background": 1.0},
    ),
    "drawing-style": EnvironmentEntry(
        "creative_rl.envs.stroke_drawing:StrokeDrawing",
        "SPIRAL: 10 brush strokes; a discriminator compares with pictures, and learns too",
        {"goal": "style", "height": 32, "width": 32, "num_steps": 10},
    ),
    "drawing-copy-pen": EnvironmentEntry(
        "creative_rl.envs.pen_drawing:GridDrawing",
        "20 lines, each one of 512, that copy a picture: small enough for Q-learning",
    ),
    "drawing-copy-doodle": EnvironmentEntry(
        "creative_rl.envs.pen_drawing:DoodleDrawing",
        "Doodle-SDQ: a pen, up or down, moves 100 times by up to 5 pixels, 84 x 84",
    ),
    "drawing-pixels": EnvironmentEntry(
        "creative_rl.envs.pixel_drawing:PixelDrawing",
        "a whole picture at once, 28 x 28 pixels: what generators act in",
    ),
    "sculpture-free": EnvironmentEntry(
        "creative_rl.envs.sculpture:VoxelSculpture",
        "add, carve and paint 8 x 8 x 8 voxels under gravity, by rules such as stability",
    ),
    "sculpture-copy": EnvironmentEntry(
        "creative_rl.envs.sculpture:VoxelSculpture",
        "sculpt one of twelve solids after its views from three sides, 8 x 8 x 8 voxels",
        {"goal": "copy", "num_materials": 1, "num_steps": 256},
    ),
    "sculpture-boxes": EnvironmentEntry(
        "creative_rl.envs.sculpture_boxes:BoxSculpture",
        "Prim-Agent: 27 boxes become one of twelve solids by 300 edits out of 756, 16 x 16 x 16",
    ),
}

LEARNERS: dict[str, LearnerEntry] = {
    "ppo": LearnerEntry(
        "creative_rl.learners.ppo:ppo",
        "creative_rl.configs.reinforcement:PPOConfig",
        "proximal policy optimisation, feed-forward or recurrent",
        takes_prior=True,
    ),
    "a2c": LearnerEntry(
        "creative_rl.learners.a2c:a2c",
        "creative_rl.configs.reinforcement:A2CConfig",
        "advantage actor-critic, one gradient step a rollout",
    ),
    "reinforce": LearnerEntry(
        "creative_rl.learners.reinforce:reinforce",
        "creative_rl.configs.reinforcement:ReinforceConfig",
        "whole episodes, rewards to go, and a learned baseline",
    ),
    "sac": LearnerEntry(
        "creative_rl.learners.sac:sac",
        "creative_rl.configs.reinforcement:SACConfig",
        "soft actor-critic, for continuous or discrete actions",
    ),
    "dqn": LearnerEntry(
        "creative_rl.learners.dqn:dqn",
        "creative_rl.configs.reinforcement:DQNConfig",
        "deep Q-learning: double, dueling, n-step, prioritised, recurrent; psi- and G-learning",
        takes_prior=True,
    ),
    "q_learning": LearnerEntry(
        "creative_rl.learners.q_learning:q_learning",
        "creative_rl.configs.reinforcement:QLearningConfig",
        "tabular Q-learning, for environments whose observations can be numbered",
    ),
    "slateq": LearnerEntry(
        "creative_rl.learners.slateq:slateq",
        "creative_rl.configs.reinforcement:SlateQConfig",
        "SlateQ: values of items for whole slates, by SARSA or Q-learning, for recommenders",
    ),
    "apg": LearnerEntry(
        "creative_rl.learners.apg:apg",
        "creative_rl.configs.reinforcement:APGConfig",
        "analytic policy gradients, through environments that are differentiable",
    ),
    "spiral": LearnerEntry(
        "creative_rl.learners.spiral:spiral",
        "creative_rl.configs.generative:SpiralConfig",
        "a policy that draws (PPO or DQN) and a discriminator that judges",
    ),
    "dqn_gan": LearnerEntry(
        "creative_rl.learners.dqn_gan:dqn_gan",
        "creative_rl.configs.generative:DQNGANConfig",
        "a DQN instructs a generator; discriminator, environment and novelty pay it",
        takes_corpus=True,
    ),
    "gan": LearnerEntry(
        "creative_rl.learners.gan:gan",
        "creative_rl.configs.generative:GANConfig",
        "generative adversarial network, for pictures: layers or DCGAN, four losses",
    ),
    "video_gan": LearnerEntry(
        "creative_rl.learners.video_gan:video_gan",
        "creative_rl.configs.generative:VideoGANConfig",
        "generative adversarial network of clips: one critic sees how they move, one how they look",
    ),
    "vae": LearnerEntry(
        "creative_rl.learners.vae:vae",
        "creative_rl.configs.generative:VAEConfig",
        "variational autoencoder, for pictures",
    ),
    "music_vae": LearnerEntry(
        "creative_rl.learners.music_vae:music_vae",
        "creative_rl.configs.generative:MusicVAEConfig",
        "recurrent variational autoencoder of music (MusicVAE): bars to a latent vector and back",
        takes_corpus=True,
        needs_corpus=True,
    ),
    "seqgan": LearnerEntry(
        "creative_rl.learners.seqgan:seqgan",
        "creative_rl.configs.generative:SeqGANConfig",
        "SeqGAN: a generator of sequences, a discriminator, and roll-outs for every token",
        takes_corpus=True,
        needs_corpus=True,
    ),
    "likelihood": LearnerEntry(
        "creative_rl.learners.likelihood:likelihood",
        "creative_rl.configs.generative:LikelihoodConfig",
        "maximum-likelihood sequence model with early stopping",
        takes_corpus=True,
        needs_corpus=True,
    ),
}

_registered: dict[str, Callable[..., Any]] = {}


def make(id: str, **overrides: Any) -> Any:
    """Build the environment `id`, with its constructor's keywords overridden.

    Args:
      id: a registered name, or `"their_package.module:Class"`.
      **overrides: static fields of the environment (sizes, horizons, reward terms).

    Raises:
      ValueError: the id is unknown, or a keyword is not a field or out of range.

    Example:
      >>> make("melody-variety", length=8).horizon
      8
    """
    keywords: dict[str, Any] = {}
    if id in _registered:
        factory = _registered[id]
    elif id in ENVIRONMENTS:
        factory = load(ENVIRONMENTS[id].target)
        keywords.update(ENVIRONMENTS[id].keywords)
    elif ":" in id:
        factory = load(id)
    else:
        raise ValueError(unknown_environment(id))
    keywords.update(overrides)
    if dataclasses.is_dataclass(factory):
        fields = [field.name for field in dataclasses.fields(factory) if field.init]
        for name in keywords:
            if name not in fields:
                raise ValueError(f"{id}: {unknown_name('field', name, fields)}")
    return factory(**keywords)


def register(id: str, factory: Callable[..., Any]) -> None:
    """Add an environment of your own under `id`; an id is never replaced."""
    if not id or ":" in id:
        raise ValueError(f"environment id must be non-empty and without ':', got {id!r}")
    if id in ENVIRONMENTS or id in _registered:
        raise ValueError(f"environment id {id!r} is registered already; choose another")
    _registered[id] = factory


def environment_ids() -> list[str]:
    """All ids that `make` knows."""
    return sorted({*ENVIRONMENTS, *_registered})


def unknown_environment(id: str) -> str:
    """One sentence that refuses an id; where it is like gymnax's, it says how those come."""
    message = unknown_name("environment", id, environment_ids())
    is_gymnax = re.search(r"-(v\d+|bsuite|misc|MinAtar)$", id)
    hint = "; gymnax environments come by crl.interop.from_gymnax(...)" if is_gymnax else ""
    return message + hint


def learner_entry(name: str) -> LearnerEntry:
    """The table's row for a learner, or a `ValueError` with the near matches."""
    if name not in LEARNERS:
        raise ValueError(unknown_name("learner", name, sorted(LEARNERS)))
    return LEARNERS[name]


def learners_with(fact: str, last: str = "and") -> str:
    """The learners whose row says so, as words.

    >>> learners_with("takes_prior", "or")
    'ppo or dqn'
    """
    *names, final = (name for name, entry in LEARNERS.items() if getattr(entry, fact))
    return f"{', '.join(names)} {last} {final}" if names else final


def load(target: str) -> Any:
    """Import the object that `"package.module:name"` names."""
    module_name, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"cannot load {target!r} ({error}); write it as 'package.module:name'"
        ) from error


def unknown_name(what: str, name: str, known: list[str]) -> str:
    """One sentence that refuses a name and offers the near ones."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    return f"unknown {what} {name!r}; {hint}"
