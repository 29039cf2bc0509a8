# Everything happens in .venv; constraints.txt pins one set of versions for Python 3.11 to 3.13.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test coverage lint bench readme clean

setup: .venv/.setup

.venv/.created:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v[:2] else "creative_rl needs Python 3.11 or newer, got %d.%d; run: make setup PYTHON=python3.12" % v[:2])'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.setup: .venv/.created pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[media,data,log]'
	@touch $@

.venv/.dev: .venv/.setup
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: .venv/.setup
	$(BIN)/creative-rl demo

test: .venv/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Apart from the tests, because it doubles their time.
coverage: .venv/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=90

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# PEERS="--peer purejaxrl=CHECKOUT --peer rejax --peer sb3=PYTHON" races them in the same run.
bench: .venv/.dev
	$(BIN)/python -m benchmarks.speed.machine
	$(BIN)/python -m benchmarks.speed.environments
	$(BIN)/python -m benchmarks.speed.training $(PEERS)
	$(BIN)/python -m benchmarks.speed.populations
	$(BIN)/python -m benchmarks.speed.devices
	$(BIN)/python -m benchmarks.speed.sweeps
	$(BIN)/python -m benchmarks.speed.replay
	$(BIN)/python -m benchmarks.speed.strokes
	$(BIN)/python -m benchmarks.speed.gan $(PEERS)
	$(BIN)/python -m benchmarks.speed.seqgan_round $(PEERS)
	$(BIN)/python -m benchmarks.speed.elites $(PEERS)
	$(BIN)/python -m benchmarks.speed.startup
	$(BIN)/python -m benchmarks.speed.compile_time
	$(BIN)/python -m benchmarks.speed.checkpoints
	$(BIN)/python -m benchmarks.speed.performing
	$(BIN)/python -m benchmarks.speed.scaling
	$(BIN)/python -m benchmarks.tables.demo
	$(BIN)/python -m benchmarks.tables.rl_tuner
	$(BIN)/python -m benchmarks.tables.melody_mood
	$(BIN)/python -m benchmarks.tables.robustness
	$(BIN)/python -m benchmarks.tables.music_vae
	$(BIN)/python -m benchmarks.tables.learners $(PEERS)
	$(BIN)/python -m benchmarks.tables.digits_painting
	$(BIN)/python -m benchmarks.tables.digits_generation
	$(BIN)/python -m benchmarks.tables.creative
	$(BIN)/python -m benchmarks.tables.animation
	$(BIN)/python -m benchmarks.tables.chorales
	$(BIN)/python -m benchmarks.tables.seqgan
	$(BIN)/python -m benchmarks.tables.accompaniment
	$(BIN)/python -m benchmarks.tables.ensembles
	$(BIN)/python -m benchmarks.suite --budget quick
	$(BIN)/python -m benchmarks.suite --budget standard
	$(BIN)/python -m benchmarks.tables.slateq
	$(BIN)/python -m benchmarks.tables.dialogue
	$(BIN)/python -m benchmarks.tables.pcgrl
	$(BIN)/python -m benchmarks.tables.sculpture

readme: .venv/.dev
	$(BIN)/python -m benchmarks.readme_tables
	$(BIN)/python -m benchmarks.scaling_page

clean:
	rm -rf .venv
