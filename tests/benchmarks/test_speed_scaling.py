"""Laws of cost, fitted to numbers that are known; the benchmark from its processes to its file."""

import json

import numpy as np
import pytest

from benchmarks import record
from benchmarks.speed import scaling, scaling_picture
from benchmarks.speed import scaling_tasks as tasks
from benchmarks.speed.laws import fit, fit_width
from benchmarks.speed.worker import Worker


def test_a_law_is_found_again():
    terms = [(1, n, n * p) for n in (1, 10, 100) for p in (5, 50)]
    law = fit(terms, [3e-3 + 2e-5 * n + 7e-9 * m for _, n, m in terms])
    assert law.coefficients == pytest.approx((3e-3, 2e-5, 7e-9))
    assert law.largest_deviation < 1e-9
    assert law.seconds((1, 10, 0)) == pytest.approx(3.2e-3)
    assert law.deviation((1, 10, 0), 3.2e-3 * 1.25) == pytest.approx(0.25)


def test_no_coefficient_is_below_zero_and_short_times_count_as_much():
    law = fit([(1, 1), (1, 10)], [2.0, 1.0])
    assert law.coefficients[1] == 0 and law.coefficients[0] == pytest.approx(1.2)  # (3/2) / (5/4)
    assert law.largest_deviation == pytest.approx(2 / 1.2 - 1)


WIDTHS = (64, 128, 256, 512, 1024)


def test_a_line_saturates_nowhere():
    found = fit_width(WIDTHS, [1e-6 + 2e-9 * n for n in WIDTHS])
    assert found.saturates is None and found.widths == WIDTHS
    assert found.law.coefficients == pytest.approx((1e-6, 2e-9))


def test_what_no_longer_fits_a_cache_is_left_out():
    seconds = [1e-6 + 2e-9 * n for n in WIDTHS[:3]] + [1e-6 + 2e-8 * n for n in WIDTHS[3:]]
    found = fit_width(WIDTHS, seconds)
    assert found.saturates == 512 and found.widths == WIDTHS[:3]
    assert found.law.largest_deviation < 1e-9
    one_is_dear = [1e-6 + 2e-9 * n * (3 if n == 256 else 1) for n in WIDTHS]  # and not all beyond
    assert fit_width(WIDTHS, one_is_dear).saturates is None
    assert fit_width(WIDTHS, one_is_dear).law.largest_deviation > 0.15


SIZES = ("num_envs", "num_steps", "hidden_size", "batch_size", "canvas")


@pytest.mark.parametrize("learner", tasks.FITTED)
def test_points_on_a_cross_a_corner_and_points_to_foretell(learner):
    first, *others = tasks.FITTED[learner]
    changed = [sum(getattr(point, s) != getattr(first, s) for s in SIZES) for point in others]
    corners = 0 if learner == tasks.PAINT else 1
    assert sorted(changed)[: len(others) - corners] == [1] * (len(others) - corners)
    assert sum(num > 1 for num in changed) == corners
    points = tasks.updates(learner, quick=False)
    assert len({point.key for point in points}) == len(points)
    for point in tasks.FORETOLD[learner]:
        assert sum(getattr(point, s) != getattr(first, s) for s in SIZES) == 3


@pytest.mark.parametrize("learner", tasks.FITTED)
def test_no_term_is_the_sum_of_others_where_it_is_fitted(learner):
    """On a cross alone steps times parameters would be, and the coefficients any numbers."""
    matrix = np.array(
        [
            [term(task, 100 * task.hidden_size) for term in tasks.TERMS[learner].values()]
            for task in tasks.FITTED[learner]
        ],
        np.float64,
    )
    singular = np.linalg.svd(matrix / np.abs(matrix).max(0), compute_uv=False)
    assert singular[-1] > 1e-2 * singular[0]


def test_operations_by_hand():
    ppo = tasks.Update(tasks.PPO, 2, 3, 64)
    assert tasks.operations(ppo, 100) == 6 * 100 * (2 + 4 * (2 + 4))
    dqn = tasks.Update(tasks.DQN, 2, 3, 64, batch_size=7)
    assert tasks.operations(dqn, 100) == 100 * (6 * 2 + 7 * (2 + 2 + 2 + 4))


def reports(per_step, rate=1.0):
    """Two rounds of a step's seconds, the second disturbed."""
    return [
        {"steps": 10, "seconds": 10 * per_step / rate, "cpu_seconds": 10 * per_step / rate},
        {"steps": 10, "seconds": 30 * per_step / rate, "cpu_seconds": 12 * per_step / rate},
    ]


MACHINE = {tasks.COPY: reports(1e-10), tasks.TRIAD: reports(1e-10), tasks.PRODUCT: reports(2e-11)}
PARAMETERS = 1000


def measured(kind, threads, quick):
    """A machine that obeys the laws."""
    about = {"device": "cpu"}
    if kind in tasks.ENVIRONMENTS:
        units = {str(n): reports((5e-6 + 2e-8 * n) / n) for n in tasks.WIDTHS}
    elif kind == tasks.CANVAS_ENVIRONMENT:
        units = {str(side): reports(3e-6 + 4e-9 * side**2) for side in tasks.CANVASES}
    else:
        points = tasks.updates(kind, quick)
        sizes = {task.key: PARAMETERS * task.hidden_size for task in points}
        about["parameters"] = sizes
        seconds = {
            task.key: sum(
                coefficient * term(task, sizes[task.key])
                for coefficient, term in zip(
                    (1e-3, 2e-6, 4e-11, 5e-9, 6e-9), tasks.TERMS[kind].values(), strict=False
                )
            )
            for task in points
        }
        units = {key: reports(taken) for key, taken in seconds.items()}
    return scaling.Measured({**units, **MACHINE}, about)


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(scaling, "measure", measured)
    monkeypatch.setattr(scaling_picture, "draw", lambda curves, laws: b"picture")
    scaling.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    scaling.main([])
    assert (tmp_path / "scaling.png").read_bytes() == b"picture"
    return json.loads((tmp_path / "scaling.json").read_text())


def test_the_benchmark_finds_the_laws_of_its_machine(written):
    figures = {(row["name"], row["metric"]): row["value"] for row in written["rows"]}
    assert figures["grid-path, one core, law", "us a step of all"] == 5
    assert figures["grid-path, one core, law", "ns an environment"] == 20
    assert figures["grid-path, default threads, law", "linear up to N"] == 16_384
    assert figures["grid-path, one core, N=64", "us a step of all"] == pytest.approx(2 * 6.28)
    assert figures["drawing-copy, law", "ns a pixel"] == 4
    assert figures["ppo, law", "s an environment step"] == pytest.approx(2e-6)
    assert figures["ppo, law", "s an operation"] == pytest.approx(4e-11)
    assert figures["ppo", "GFLOP/s of products"] == pytest.approx((50 + 50 / 3) / 2, rel=1e-3)
    assert all(goal["reached"] for goal in written["goals"]) and len(written["goals"]) == 10


def test_its_page_is_made_of_its_file(written, tmp_path, monkeypatch):
    from benchmarks import scaling_page

    monkeypatch.setattr(scaling_page, "RESULT", tmp_path / "scaling.json")
    text = scaling_page.render(scaling_page.PAGE.read_text())
    assert "| `grid-path` | one core | 5 | 20 | " in text
    assert "Not measured: there is no" not in text
    # 64,000 parameters, 8 accelerators, 16 gradient steps: 2 * 7/8 * 4 * 64,000 * 16 bytes.
    assert "| 64 x 64 | 64,000 | 8 | 7.17 MB | 54.7 |" in text
    law = scaling_page.law_of(
        {(row["name"], row["metric"]): row["value"] for row in written["rows"]}
    )
    copied = 1e9 * (10 + 10 / 3) / 2
    assert law.step_bytes == pytest.approx(2e-6 * copied, rel=1e-3)
    rate = 1e9 * (50 + 50 / 3) / 2
    assert law.share == pytest.approx(1 / (4e-11 * rate), rel=1e-3)
    # A step moves its bytes, and a parameter its own; then come the products, of 64,000 parameters.
    steps = 4096 * 32
    expected = (steps * law.step_bytes + 64_000 * law.parameter_bytes) / 3.35e12
    expected += 26 * steps * 64_000 / (law.share * 989e12)
    found = scaling_page.update_seconds(scaling_page.ACCELERATORS[0], law, 64_000)
    assert found == pytest.approx(expected)
    # 7.17 MB at 450 GB/s; and 10^12 / (8 * 4096 * 32) updates of both.
    whole = 1e12 / (8 * steps) * (expected + 7.168e6 / 450e9) / 60
    line = f"| H100 SXM | 64 x 64 | 8 | {1e6 * expected:.3g} | 15.9 | {whole:.3g} min |"
    assert line in text


def test_what_a_ring_sends():
    from benchmarks.accelerators import H100

    assert H100.all_reduce_bytes(1, 1000) == 0
    assert H100.all_reduce_bytes(8, 1000) == 1750
    assert H100.all_reduce_seconds(8, 450e9) == pytest.approx(1.75)
    assert H100.all_reduce_seconds(16, 50e9) == pytest.approx(1.875)


@pytest.mark.parametrize("kind", ["grid-path"])
def test_a_process_measures(kind):
    with Worker("benchmarks.speed.scaling_worker", [kind, "quick", "0.01"]) as worker:
        assert set(worker.about["units"]) == {"64", "128", "256", "copy", "triad", "product"}
        report = worker.run("128")
        assert report["steps"] % 128 == 0 and report["cpu_seconds"] > 0
        assert worker.run("copy")["steps"] > 10**8


def test_the_picture_is_drawn():
    widths = (64, 128, 256)
    curve = {n: 1e-8 + 1e-6 / n for n in widths}
    found = fit_width(widths, [n * curve[n] for n in widths])
    picture = scaling_picture.draw(
        {("grid-path", "one core"): curve}, {("grid-path", "one core"): found}
    )
    assert picture.startswith(b"\x89PNG")
