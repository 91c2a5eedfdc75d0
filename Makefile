# Everything a newcomer needs: `make demo`, `make lab`, `make lint`, `make test`, `make bench`. Only Python and make are
# taken for granted; without make, `pip install .` and `personalize-nb demo` do the same.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: demo test test-oldest torture lab notebooks docs release-check bench bench-quality bench-themes report lint clean

# The demo and Lab share a service, so what one has trained the other finds.
SERVICE := build/service
OLDEST  := build/oldest

# Byte code is kept wherever the machine says otherwise, as images of containers do: a demo or a test starts services,
# workers and kernels by the hundred, and each would compile the same modules from their sources again.
unexport PYTHONDONTWRITEBYTECODE

demo: $(STAMP)
	$(BIN)/personalize-nb demo --output build --local $(SERVICE)
	@echo "Next: 'make lab' opens the same notebook in JupyterLab, with the models that are trained now."

# Three processes, each with services of its own: much of a test is waiting, so two processors have work for more than
# two. One hash seed, so that all find the same tests in the same order.
test: $(STAMP)
	PYTHONHASHSEED=0 $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

# The oldest releases that pyproject.toml allows, of everything, in a venv of their own: all that the client does, with a
# real job on the service. What a newer boto3 brought is skipped, with the release's name. Ten to twenty minutes.
test-oldest:
	@echo "Installing the oldest dependencies into $(OLDEST), a minute or two ..."
	$(PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(OLDEST)/bin/uv pip install --quiet --python $(OLDEST)/bin/python --resolution lowest-direct --editable ".[test]"
	PYTHONHASHSEED=0 $(OLDEST)/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder \
	    $(addprefix tests/,text contract samples session resources inputs results training jobs access local/test_workflow.py \
        notebook/test_figures.py notebook/test_charts.py notebook/test_comparison_plots.py)

# Kill every kind of work before each of its writes, once and twice, and compare with work that nobody killed. Then look
# for counterexamples of every property, ten times as long as the tests do and elsewhere each time.
torture: $(STAMP)
	PYTHONHASHSEED=0 $(BIN)/python -m pytest tests/local --torture --numprocesses 2
	PYTHONHASHSEED=0 $(BIN)/python -m pytest tests -m hypothesis --hypothesis-profile thorough --numprocesses 2

lab: $(STAMP)
	PERSONALIZE_NB_PATH="$${PERSONALIZE_NB_PATH:-$(CURDIR)/$(SERVICE)}" $(BIN)/jupyter lab notebooks/01_quickstart.ipynb

# Run every notebook again, in order on one new service as a reader does, and save it with its outputs, masked.
notebooks: $(STAMP)
	rm -rf build/fresh
	$(BIN)/python -m personalize_nb.headless notebooks/*.ipynb --local build/fresh --quiet

# The reference, the notebooks and what is Markdown, into build/docs; open build/docs/index.html. It needs no network, and
# fails on a warning and on a link that leads nowhere.
docs: $(VENV)/.docs
	$(BIN)/python .ci/docs/build.py build/docs

# What a release must be: version and changelog, wheel and sdist, licences, known holes, and the quickstart where nothing
# else is installed. Minutes, most of them for the dependencies.
release-check: $(VENV)/.release
	$(BIN)/python .ci/release/check.py build/release

# Recommendations beside AWS's published figures and implicit: quality on MovieLens (MOVIELENS=folder), speed, training.
bench-quality: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	$(BIN)/python -m benchmarks quality learning

# Measure beside named peers (minutes); `make bench BENCH="objects --rounds 1"` runs one of them.
bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	$(BIN)/python -m benchmarks $(BENCH)

# Themes beside three plainer ways to name a group, and sixty titles of each catalogue under build/themes; films and
# shops too where they are found ($MOVIELENS, $THEMES_DATA; benchmarks/README.md).
bench-themes: $(STAMP)
	$(BIN)/python -m benchmarks themes --rounds 4

# Write the tables of benchmarks/README.md and README.md again from the results that are kept; nothing is measured.
report: $(STAMP)
	$(BIN)/python -m benchmarks --report

# Style and docstrings, types, spelling. What each of them checks stands in pyproject.toml.
lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/typos

# Also what the demo and Lab have trained; a service elsewhere (PERSONALIZE_NB_PATH) stays.
clean:
	rm -rf build $(VENV)

# A venv made by a newer pyproject.toml is brought up to date; an unchanged one costs nothing.
# Byte code is made of what is imported, when it is: compiling every file of every package takes as long as their download.
$(STAMP): pyproject.toml
	@echo "Installing into $(VENV), one to five minutes ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --editable ".[test]"
	@touch $@
	@echo "Installed."

# What only these two targets need; once it is there neither asks the network for it.
$(VENV)/.docs $(VENV)/.release: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$(subst .,,$(notdir $@))]"
	@touch $@
