"""A handful of old tunes as events, in C major or A minor, and ways to cut them up."""

NAMES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

# Notes as name, accidental, octave (C4 is middle C), colon, sixteenths; R is a rest.
TUNES = {
    "Ode to Joy (Beethoven)": """
        E4:4 E4:4 F4:4 G4:4 G4:4 F4:4 E4:4 D4:4 C4:4 C4:4 D4:4 E4:4 E4:6 D4:2 D4:8
        E4:4 E4:4 F4:4 G4:4 G4:4 F4:4 E4:4 D4:4 C4:4 C4:4 D4:4 E4:4 D4:6 C4:2 C4:8""",
    "Frere Jacques (traditional)": """
        C4:2 D4:2 E4:2 C4:2 C4:2 D4:2 E4:2 C4:2 E4:2 F4:2 G4:4 E4:2 F4:2 G4:4
        G4:1 A4:1 G4:1 F4:1 E4:2 C4:2 G4:1 A4:1 G4:1 F4:1 E4:2 C4:2
        C4:2 G3:2 C4:4 C4:2 G3:2 C4:4""",
    "Ah vous dirai-je, maman (traditional)": """
        C4:2 C4:2 G4:2 G4:2 A4:2 A4:2 G4:4 F4:2 F4:2 E4:2 E4:2 D4:2 D4:2 C4:4
        G4:2 G4:2 F4:2 F4:2 E4:2 E4:2 D4:4 G4:2 G4:2 F4:2 F4:2 E4:2 E4:2 D4:4""",
    "Bagatelle in A minor (Beethoven)": """
        E5:1 D#5:1 E5:1 D#5:1 E5:1 B4:1 D5:1 C5:1 A4:2 R:1 C4:1 E4:1 A4:1 B4:2 R:1 E4:1 G#4:1
        B4:1 C5:2 R:1 E4:1 E5:1 D#5:1 E5:1 D#5:1 E5:1 B4:1 D5:1 C5:1 A4:2 R:1 C4:1 E4:1 A4:1 B4:2
        R:1 E4:1 C5:1 B4:1 A4:4""",
    "Greensleeves (traditional)": """
        A4:2 C5:4 D5:2 E5:3 F5:1 E5:2 D5:4 B4:2 G4:3 A4:1 B4:2 C5:4 A4:2 A4:3 G#4:1 A4:2 B4:4 G#4:2
        E4:4 A4:2 C5:4 D5:2 E5:3 F5:1 E5:2 D5:4 B4:2 G4:3 A4:1 B4:2 C5:3 B4:1 A4:2 G#4:3 F#4:1 G#4:2
        A4:6""",
}


def events(tune: str) -> list[int]:
    """Event codes of a tune: a note and holds, or a rest and holds."""
    codes = []
    for word in tune.split():
        name, _, duration = word.partition(":")
        code = 0
        if name != "R":
            semitone = NAMES[name[0]] + ("#" in name) + 12 * (int(name[-1]) - 3)
            code = 2 + semitone  # C3, MIDI 48, is code 2
        codes += [code] + [1] * (int(duration) - 1)
    return codes


def windows(codes: list[int], length: int = 32) -> list[list[int]]:
    """Every stretch of `length` events, a sixteenth apart."""
    return [codes[start : start + length] for start in range(len(codes) - length + 1)]
