"""What the strokes are raced against draws the same, and the ratios are of the same rounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import record
from benchmarks.speed import stroke_worker, strokes


def test_short_strokes_fit_the_window():
    cases = stroke_worker.strokes("short", 20_000).astype(np.float64) * stroke_worker.SIZE
    extent = np.abs(cases[:, :2] - cases[:, 4:6]).max()
    # Half a pixel of soft edge at either side, and half of rounding the window's place.
    assert 10 < extent + 2 * cases[:, 6].max() + 2 <= stroke_worker.WINDOW
    inside = (cases[:, 2:4] - cases[:, :2]) * (cases[:, 4:6] - cases[:, 2:4])
    assert np.all(inside >= -1e-4)


def test_long_strokes_go_anywhere():
    cases = stroke_worker.strokes("long", 2000)
    assert np.abs(cases[:, 0] - cases[:, 4]).mean() > 0.25
    assert cases.min() >= 0 and cases[:, [0, 1, 4, 5, 10]].max() <= 1


@pytest.mark.parametrize("task", ["short", "long"])
def test_our_pictures_are_those_of_skia(task):
    pytest.importorskip("skia")
    found = stroke_worker.difference(task, num_strokes=3, num=16)
    assert 0 < found < strokes.MOST_DIFFERENCE
    strokes.check_pictures(task, found)
    with pytest.raises(RuntimeError, match=r"long strokes: our pictures differ .* by 9.00 levels"):
        strokes.check_pictures("long", 9.0)
    with pytest.raises(RuntimeError):
        strokes.check_pictures("long", float("nan"))


def test_both_ways_to_read_skia_see_the_same_picture():
    pytest.importorskip("skia")
    by_surface, by_array = stroke_worker.skia_surface(), stroke_worker.skia_array()
    for stroke in stroke_worker.strokes("long", 5).tolist():
        read, drawn = by_surface(stroke), by_array(stroke)
        assert read.shape[:2] == drawn.shape == (64, 64)
        np.testing.assert_array_equal(read[..., 0] if read.ndim == 3 else read, drawn)
    assert drawn.max() > 50


def test_pillow_draws_the_line_between_the_ends():
    pytest.importorskip("PIL")
    seen = stroke_worker.pillow()([0.25, 0.5, 0, 0, 0.75, 0.5, 0, 0, 0, 0, 0.5])
    assert np.all(seen[32, 16:48] == 128) and np.count_nonzero(seen) <= 33


def test_every_stroke_of_every_round_is_drawn():
    _, run = stroke_worker.compiled("short", 2)
    bank = jnp.asarray(stroke_worker.strokes("short", 32).reshape(16, 2, 11))
    paint = jax.jit(stroke_worker.painter("short"))
    expected = [jnp.zeros((64, 64, 1), jnp.uint8)] * 2
    for _ in range(2):
        for now in bank:
            expected = [paint(canvas, one) for canvas, one in zip(expected, now, strict=True)]
    found = run(jnp.zeros((2, 64, 64, 1), jnp.uint8), bank, jnp.int32(2))
    np.testing.assert_allclose(np.asarray(found, int), np.asarray(jnp.stack(expected), int), atol=1)


def test_rows_are_of_neighbouring_rounds():
    reports = {
        "1024": [{"steps": 1000, "seconds": s, "cpu_seconds": 2 * s} for s in (1.0, 2.0)],
        "copy": [{"steps": 64_000_000, "seconds": s, "cpu_seconds": s} for s in (1.0, 2.0)],
    } | {
        peer: [{"steps": 50, "seconds": s, "cpu_seconds": s} for s in (1.0, 2.0)]
        for peer in strokes.PEERS
    }
    rows = {row.metric: row.value for row in strokes.width_rows("x", "long", "1024", reports)}
    assert rows["strokes/s"] == 750
    assert rows["strokes/s of processor time"] == 375
    assert rows["ratio to Pillow, 1-pixel line"] == 20
    assert rows["canvas bytes, share of the copy's bandwidth"] == 8192 * 1000 / 64_000_000


def test_goals_take_the_better_threads_and_say_what_was_not_measured():
    slow, fast = ({"skia-surface": t, "skia-array": 1.0, "pillow": t / 2} for t in (40.0, 60.0))
    found = {("short", "default threads"): slow, ("short", "NPROC=1"): fast}
    goals = strokes.goals(found)
    assert [(goal.bound, goal.value, goal.reached) for goal in goals] == [
        (50.0, 60.0, True),
        (20.0, None, None),
        (50.0, 1.0, False),
        (20.0, None, None),
        (20.0, 30.0, True),
        (5.0, None, None),
        (25.0, 30.0, True),
        (12.0, None, None),
    ]


def test_quick_measures_little_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    asked = []

    def measure(task, threads, variables, quick):
        asked.append((task, threads, quick))
        rows = [record.Row(f"{task}, {threads}", "strokes/s", 1e6)]
        return strokes.Measured(rows, dict.fromkeys(strokes.PEERS, 30.0), "cpu", {})

    monkeypatch.setattr(strokes, "measure", measure)
    strokes.main(["--quick"])
    assert asked == [("short", "default threads", True), ("long", "default threads", True)]
    assert list(tmp_path.iterdir()) == []
    strokes.main([])
    assert len(asked) == 6
    assert [entry.name for entry in tmp_path.iterdir()] == ["strokes.json"]
    assert "nothing was written" in capsys.readouterr().out
