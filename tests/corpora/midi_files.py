"""Tiny MIDI files for the tests."""

import mido


def track(*notes, channel=0, extra=()):
    """A track of (start, end, pitch) in quarter notes, with `extra` meta messages at time 0."""
    events = [(time, kind, p) for s, e, p in notes for time, kind in ((s, "note_on"), (e, "off"))]
    messages, now = mido.MidiTrack(extra), 0
    for time, kind, pitch in sorted(events, key=lambda event: (event[0], event[1] == "note_on")):
        tick = round(time * 96)
        messages.append(
            mido.Message(
                "note_on", note=pitch, velocity=64 * (kind == "note_on"), channel=channel,
                time=tick - now,
            )
        )  # fmt: skip
        now = tick
    return messages


def write(path, *tracks):
    path.parent.mkdir(parents=True, exist_ok=True)
    mido.MidiFile(type=1, ticks_per_beat=96, tracks=list(tracks)).save(path)
    return path


def scale(tonic, degrees=(0, 2, 4, 5, 7, 9, 11, 12), length=1):
    """A scale up and down, each note `length` quarters."""
    pitches = [tonic + d for d in (*degrees, *degrees[-2::-1])]
    return [(i * length, (i + 1) * length, p) for i, p in enumerate(pitches)]
