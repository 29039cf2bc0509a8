"""The README's results: whatever is shown is also run by `make bench`."""

import re

from benchmarks import readme_tables


def test_make_bench_runs_all_that_is_shown():
    makefile = (readme_tables.README.parent / "Makefile").read_text()
    run = re.findall(r"-m benchmarks\.(?:speed|tables)\.(\w+)", makefile)
    run += [
        f"suite.{name}" for name in re.findall(r"-m benchmarks\.suite --budget (\w+)", makefile)
    ]
    assert sorted([*run, "suite.full"]) == sorted(readme_tables.TITLES)  # that takes many hours


def test_a_result_that_is_shown_in_its_own_way_has_a_title():
    assert readme_tables.FIGURES.keys() <= readme_tables.TITLES.keys()
