"""What the machine could do: operations are counted as they are done."""

import jax.numpy as jnp

from benchmarks.speed import machine


def test_a_product_counts_two_operations_for_every_multiplication(monkeypatch):
    monkeypatch.setattr(machine.worker, "calibrated", lambda run, seconds: 3)
    unit = machine.product_unit(16, jnp.float32, "highest")
    assert unit(0) == {"steps": 3 * 2 * 16**3}


def test_adding_one_counts_bytes_read_and_bytes_written(monkeypatch):
    monkeypatch.setattr(machine.worker, "calibrated", lambda run, seconds: 5)
    unit = machine.copy_unit(64)
    assert unit(0) == unit(1) == {"steps": 5 * 2 * 4 * 64}


def test_a_round_is_timed_and_keeps_its_report():
    report = machine.timed(lambda number: {"steps": number}, 7)
    assert report["steps"] == 7 and report["seconds"] > 0


def test_the_quick_run_prints_a_rate_of_every_product(capsys, monkeypatch):
    monkeypatch.setattr(machine, "SIDES", {"cpu": 64, "accelerator": 64})
    monkeypatch.setattr(machine, "ROUND_SECONDS", 0.01)
    monkeypatch.setattr(machine, "NUM_NUMBERS", {"cpu": 1 << 16, "accelerator": 1 << 16})
    machine.main(["--quick"])
    printed = capsys.readouterr().out
    assert "| x + 1 | GB/s read and written |" in printed
    for name in machine.PRODUCTS:
        assert f"| products of 64 x 64, {name} | GFLOP/s |" in printed
