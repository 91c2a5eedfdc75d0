# Everything a newcomer needs: `make demo`, `make test`, `make lab`, `make bench`. Only Python and make are taken for granted.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: demo test lab notebooks bench bench-quality bench-themes lint clean

demo: $(STAMP)
	$(BIN)/python -m personalize_nb.headless notebooks/01_quickstart.ipynb --output build --local build/service

test: $(STAMP)
	$(BIN)/python -m pytest

lab: $(STAMP)
	$(BIN)/jupyter lab notebooks/01_quickstart.ipynb

# Run every notebook again on the embedded service and save it with its outputs, masked.
notebooks: $(STAMP)
	$(BIN)/python -m personalize_nb.headless notebooks/*.ipynb --local build/service --quiet

# Recommendations beside AWS's published figures and implicit: quality on MovieLens (MOVIELENS=folder), speed, training.
bench-quality: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	$(BIN)/python -m benchmarks quality learning

# Measure beside named peers (minutes); `make bench BENCH="objects --rounds 1"` runs one of them.
bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	$(BIN)/python -m benchmarks $(BENCH)

# Themes beside three plainer ways to name a group; films too where MovieLens with overviews is found ($MOVIELENS).
bench-themes: $(STAMP)
	$(BIN)/python -m benchmarks themes --rounds 4

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf build $(VENV)

# A venv made by a newer pyproject.toml is brought up to date; an unchanged one costs nothing.
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	touch $@
