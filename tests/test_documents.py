"""What users read first runs, and its tables are those of the registry and the results."""

import importlib
import os
import pathlib
import re
import subprocess
import sys

import jax
import nbformat
import pytest

import creative_rl as crl
from creative_rl.registry import LEARNERS

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def share_programs(monkeypatch):
    """What is started here compiles into the cache of the worker that waits for it."""
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", jax.config.jax_compilation_cache_dir)
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "0")


BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize(
    ("place", "printed"),
    [(0, ["(1024,)", "(1, 8)"]), (1, ["-0.1", "False False", "1 step"]), (2, ["(3, 6, 4)"])],
    ids=["first", "by hand", "sweep"],
)
def test_the_readmes_examples_run(place, printed, tmp_path):
    block = BLOCKS[place]
    assert len(BLOCKS) == 3 and len([line for line in block.splitlines() if line.strip()]) <= 20
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert all(words in done.stdout for words in printed)
    if place == 0:
        assert (tmp_path / "first.mid").read_bytes().startswith(b"MThd")


PARTS = ["crl", *(name for name in crl.__all__ if name.islower())]


def names_in(text):
    """What code of a page names of the package: `crl.make`, `learners.ensemble`, `ops.latents`."""
    code = " ".join(
        a or b for a, b in re.findall(r"```python\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    )
    return sorted(set(re.findall(rf"(?<![\w./-])(?:{'|'.join(PARTS)})(?:\.[A-Za-z_]\w*)+", code)))


@pytest.mark.parametrize("name", names_in((ROOT / "README.md").read_text()))
def test_what_the_readme_names_is_there(name):
    """Found as a reader would: an attribute hides the module of its name."""
    owner = crl
    for part in name.removeprefix("crl.").split("."):
        if part in dir(owner):
            # Some names need a package that is not installed; it is enough that they are offered.
            owner = None if owner is crl.interop else getattr(owner, part)
        else:
            owner = importlib.import_module(f"{owner.__name__}.{part}")


@pytest.mark.parametrize("page", ["README", "PAGE"])
def test_the_readmes_tables_are_up_to_date(page):
    from benchmarks import readme_tables

    text = getattr(readme_tables, page).read_text()
    assert "<!-- begin" in text
    assert readme_tables.render(text) == text, "run: python -m benchmarks.readme_tables"


def test_the_page_of_scaling_is_up_to_date():
    from benchmarks import scaling_page

    text = scaling_page.PAGE.read_text()
    assert text.count("<!-- begin") == 7
    assert scaling_page.render(text) == text, "run: python -m benchmarks.scaling_page"


def anchors(text):
    """What the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/profiling.md",
        "docs/scaling.md",
        "benchmarks/results/README.md",
    ],
)
def test_links_lead_somewhere(page):
    path = ROOT / page
    for link in re.findall(r"(?<!!)\[[^]]*\]\(([^)]+)\)", path.read_text()):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert link.startswith("http") or target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's own packages
def test_notebooks_run_and_are_stored_without_output(path, tmp_path, monkeypatch):
    from nbclient import NotebookClient

    # The suite's flags make programs slow, and here they train: optimise a little, and for all that
    # the processor can. Of a flag that is there twice the last one counts.
    flags = os.environ["XLA_FLAGS"].replace("--xla_cpu_max_isa=AVX", "")
    monkeypatch.setenv("XLA_FLAGS", f"{flags} --xla_backend_optimization_level=1")
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": tmp_path}}).execute()


def test_the_table_of_actions_names_every_learner():
    below = (ROOT / "README.md").read_text().split("<!-- end learners -->")[1]
    table = below.split("\n\n| |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(LEARNERS)
