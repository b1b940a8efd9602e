# Everything from a machine with Python 3.10 to 3.13, pip and make. The tests also need Chromium or Chrome: where there
# is neither, scripts/install_browser.sh installs one, as root or by sudo.
#
#   make demo    the small study on digits, three to six minutes; make study is the full one, 25 to 50
#   make test    the tests; make test-whole runs the README's commands by hand on digits at their full length
#   make lint    ruff and mypy
#   make bench   the benchmarks, with this machine's figures; it fails where one is not within its bounds
#   make docs    the documentation, in docs/_build/html
#   make bazel   the tests again, by Bazel
#   make package builds the wheel, and tries it with every Python from 3.10 to 3.13 that is on the PATH
#   make attack  faults injected into every command, about 40 minutes; it needs Linux and Debian's package faketime
#   make fuzz    every reader of files, with 100,000 damaged ones: half an hour; Linux on x86-64, Python 3.11 or later
#
# PYTHON=python3.12 chooses the interpreter, TENSORFLOW=2.20.0 another version than the pinned one, both when
# the environment is made: give VENV=.venv-2.20 with them for a second one.

PYTHON ?= $(firstword $(foreach v,3.12 3.11 3.13 3.10,$(shell python$(v) -c "print('python$(v)')" 2>/dev/null)) python3)
TENSORFLOW ?=
VENV ?= .venv
RUN := $(VENV)/bin/python

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo study test test-whole lint bench docs attack fuzz bazel package clean
.DEFAULT_GOAL := demo
.DELETE_ON_ERROR:

demo study: $(VENV)/installed
	$(RUN) scripts/reproduce.py --gin_file=gin/digits/$@.gin --output_dir=runs/$@

# The C library would give memory back after every step, to ask for it again page by page: on a virtual machine that was
# half of the time of training a small network.
test test-whole bazel: export MALLOC_TRIM_THRESHOLD_ := 2000000000
test test-whole bazel: export MALLOC_MMAP_THRESHOLD_ := 1000000000
test test-whole bazel: export MALLOC_TOP_PAD_ := 67108864
test: $(VENV)/browser
	$(RUN) -m pytest --numprocesses=3 --dist=worksteal  # tests wait for commands, too: two would leave a core idle at times

test-whole: $(VENV)/installed-test
	$(RUN) -m pytest -m whole

lint: $(VENV)/installed-lint
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

# All are run, and the status tells whether any missed its bounds. Scaling takes the figures of input_pipeline.
BENCHMARKS := train_step curve_fit fit_memory path_forward path_photographs path_digits path_memory precision \
    images_saved input_pipeline scaling
bench: $(VENV)/installed
	@status=0; for name in $(BENCHMARKS); do $(RUN) -m benchmarks.$$name || status=1; done; exit $$status

docs: $(VENV)/installed-docs
	$(RUN) -m sphinx --fail-on-warning --keep-going --fresh-env docs docs/_build/html
	$(RUN) docs/check_links.py docs/_build/html

bazel: $(VENV)/browser
	scripts/bazel_test.sh $(RUN)

package: $(VENV)/installed-test
	scripts/try_wheel.sh $(RUN) python3.10 python3.11 python3.12 python3.13

attack: $(VENV)/installed-test
	$(RUN) -m tests.attack

fuzz: $(VENV)/installed-fuzz
	$(RUN) -m tests.fuzz

# The tests look at the report with it.
$(VENV)/browser: $(VENV)/installed-test
	@scripts/install_browser.sh $(RUN)
	@touch $@

clean:
	rm -rf $(VENV) .bootstrap

# Debian's Python may come without the module that makes environments: virtualenv does as well.
$(VENV)/bin/python:
	@$(PYTHON) -c "import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14) and 'Python 3.10 to 3.13 is needed; set PYTHON')"
	@echo "making $(VENV) with $$($(PYTHON) --version); installing takes a few minutes"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV) && \
	    $(PYTHON) -m pip install --quiet --target .bootstrap virtualenv && \
	    PYTHONPATH=.bootstrap $(PYTHON) -m virtualenv --quiet $(VENV); }

$(VENV)/constraints.txt: constraints.txt $(VENV)/bin/python
	@sed -e '$(if $(TENSORFLOW),s/^\(tensorflow\|tensorboard\)==.*/\1==$(TENSORFLOW)/;s/^\(tf_keras\)==.*/\1==$(basename $(TENSORFLOW)).*/)' $< > $@

$(VENV)/installed: pyproject.toml $(VENV)/constraints.txt
	@$(RUN) -m pip install --quiet --constraint $(VENV)/constraints.txt --editable .
	@touch $@

$(VENV)/installed-%: $(VENV)/installed
	@$(RUN) -m pip install --quiet --constraint $(VENV)/constraints.txt --editable ".[$*]"
	@touch $@
