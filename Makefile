# What a developer needs; `make help` lists it. Everything lives in .venv of this checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Set up again when the metadata, the checkout's place or the Python changes.
WANTED = $(shell { cat setup.cfg pyproject.toml; echo "$(CURDIR)"; $(PYTHON) -V; } | sha256sum | cut -c1-64)
# For some tests only; each is installed by itself, so one that is missing costs that one.
DISTRIBUTION := csmith libcsmith-dev meson ccache clang-14 clang-16 clang-19 clang-22 cmake ninja-build dpkg-dev g++-11 g++-12 g++-aarch64-linux-gnu qemu-user musl-tools mold
# What llama-cpp-python, which pip builds from source, need not have; docs/model.md says why.
LLAMA := -DLLAVA_BUILD=OFF -DGGML_OPENMP=OFF -DGGML_NATIVE=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE=$(CURDIR)/cr1cc/model/llama.cmake
# A process on each core, each with one half of the files until it has nothing left to do.
PYTEST = $(BIN)/python -m pytest --numprocesses auto --dist worksteal
# Programs below must not take a setting or a cache of a wrapper around this make.
unexport CR1_ACTIVE

.PHONY: help setup install setup-test test test-fast test-long check format demo bench bench-model bench-policy bench-speed fuzz clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 13

setup: ## set up .venv, with a rootless LLVM where no usable clang is found
	@if [ "$$(cat $(VENV)/.setup 2>/dev/null)" != "$(WANTED)" ] || ! $(BIN)/python -c '' 2>/dev/null; \
	then $(MAKE) --no-print-directory install; fi

install:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cr1cc needs Python 3.11 or newer")'
	@$(PYTHON) -m venv $(VENV) || { echo 'python3 cannot make a virtual environment; on Debian install python3-venv' >&2; exit 1; }
	@echo 'the first installation builds llama.cpp, which takes about three minutes on two cores'
	CMAKE_ARGS='$(LLAMA)' $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,check]'
	@$(BIN)/python -m cr1cc.toolchain.survey || $(MAKE) --no-print-directory $(BIN)/clang
	@echo "$(WANTED)" > $(VENV)/.setup

# The first start of that Python after the installation completes the links in its bin.
$(BIN)/clang:
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[llvm]'
	@$(BIN)/python -c ''

setup-test: setup ## install what only some tests need (as root or with sudo -n)
	@sudo=; [ "$$(id -u)" = 0 ] || sudo='sudo -n'; updated=; \
	for package in $(DISTRIBUTION); do \
	  dpkg -s $$package 2>/dev/null | grep -q '^Status: .* installed$$' && continue; \
	  [ -n "$$updated" ] || { $$sudo apt-get -qq update || true; updated=1; }; \
	  DEBIAN_FRONTEND=noninteractive $$sudo apt-get -qq install -y --no-install-recommends $$package \
	    > $(VENV)/apt.log 2>&1 && echo "installed: $$package" || echo "not installed: $$package"; \
	done
	@$(MAKE) --no-print-directory $(BIN)/clang || echo 'not installed: the pip LLVM'
	@$(BIN)/python -c 'import torch' 2>/dev/null || \
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[train]' || echo 'not installed: PyTorch'

test: setup ## the whole test suite, long tests too
	$(PYTEST)

test-fast: setup ## the tests for daily use
	$(PYTEST) -m 'not long'

test-long: setup ## the long tests alone
	$(PYTEST) -m long

check: setup ## formatter, linter, type checker
	$(BIN)/ruff format --check cr1cc tests
	$(BIN)/ruff check cr1cc tests
	$(BIN)/mypy

format: setup ## format and mend what the linter can
	$(BIN)/ruff format cr1cc tests
	$(BIN)/ruff check --fix cr1cc tests

demo: setup ## build a real C project with cr1-clang, run its test, compare with clang -Oz
	$(BIN)/python -m tests.projects.demo

bench: setup ## the figures of bench/, measured on this machine; BENCH='--clang clang-19'
	$(BIN)/python -m tests.bench $(BENCH)

bench-model: setup ## proposers compared on held-out packages, and what the model costs
	$(BIN)/python -m tests.bench_model $(BENCH)

bench-policy: setup ## who proposes best: docs/policy.md and its drawings
	$(BIN)/python -m tests.bench_policy $(BENCH)

bench-speed: setup ## programs after cr1 tune against gcc -O3; goes on where it stopped
	$(BIN)/python -m tests.bench_speed $(BENCH)

fuzz: setup ## recipes on random programs, compared with -O0
	$(BIN)/cr1 fuzz

clean: ## remove what setup, builds and tests left
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .cr1-build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
