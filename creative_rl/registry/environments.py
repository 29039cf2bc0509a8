"""All environments, by id."""

from creative_rl.registry.entries import EnvironmentEntry

_LEVELS = (
    ("binary", "level:BinaryLevel", "PCGRL's labyrinth, 14 x 14: a tile is given, and may change"),
    ("zelda", "level:ZeldaLevel", "PCGRL's dungeon, 11 x 7, with a key, a door and enemies"),
    ("sokoban", "level_sokoban:SokobanLevel", "PCGRL's Sokoban, 5 x 5, to be solved in many moves"),
)
_REPRESENTATIONS = {
    "narrow": "",
    "turtle": "the same; the agent moves over the map, and changes the tile that it is on",
    "wide": "the same; any tile of the map may be changed",
}


def _levels() -> dict[str, EnvironmentEntry]:
    """PCGRL's problems, each in its three representations."""
    return {
        f"level-{name}-{kind}": EnvironmentEntry(
            f"creative_rl.envs.{target}", how or summary, {"representation": kind} if how else {}
        )
        for name, target, summary in _LEVELS
        for kind, how in _REPRESENTATIONS.items()
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
    "dialogue-noisy": EnvironmentEntry(
        "creative_rl.envs.dialogue:BookingDialogue",
        "the same; 15 % of values and of intents are misheard",
        {"error_rate": 0.15},
    ),
    "dialogue-noisier": EnvironmentEntry(
        "creative_rl.envs.dialogue:BookingDialogue",
        "the same; 30 % of values and of intents are misheard",
        {"error_rate": 0.3},
    ),
    **_levels(),
    "level-binary-targets": EnvironmentEntry(
        "creative_rl.envs.level:BinaryLevel",
        "PCGRL's labyrinth with a length of its path that is wanted, seen, and drawn every episode",
        {"controls": ("path_length",), "change_share": 1.0},
    ),
    "level-maze": EnvironmentEntry(
        "creative_rl.envs.level_scanned:MazeLevel", "PCGRL-jax's maze, 16 x 16, row by row"
    ),
    "level-dungeon": EnvironmentEntry(
        "creative_rl.envs.level_scanned:DungeonLevel", "PCGRL-jax's dungeon, 16 x 16, row by row"
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
