# make run    install what is missing and open the studio
# make test   run the tests            make lint   check style, types and imports
# make thorough  run also the tests that make test leaves out: further ones of the same kinds
# make bench  measure; prints a table and writes build/bench.json
# make atlas  draw atlases of shipped networks into build/atlas and check them (goes on where it was)
# make zoo    open models of torchvision and timm, write resources/zoo.md (90 minutes; goes on where it was)
# make fuzz   read files with changed content, ten minutes or ARGS=SECONDS
# make monkey 10,000 random actions on the window (half an hour)
# make kills  kill the studio 200 times and start it again (an hour and a half)

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
export OMP_WAIT_POLICY ?= PASSIVE
# Where it is set, each worker, and each program that a test starts, compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test thorough lint bench atlas zoo fuzz monkey kills

run: .venv/.ready
	@$(BIN)/python -m ldam_studio $(ARGS)

test: .venv/.ready-test
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

thorough: .venv/.ready-test
	$(BIN)/python -m pytest -n 2 -m "thorough or not thorough" $(ARGS)

lint: .venv/.ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/audit.py

bench: .venv/.ready-test
	$(BIN)/python tests/benchmarks $(ARGS)

atlas: .venv/.ready-test
	$(BIN)/python tests/atlas_release $(ARGS)

zoo: .venv/.ready-test
	$(BIN)/python tests/zoo $(ARGS)

fuzz: .venv/.ready-test
	$(BIN)/python tests/fuzz $(ARGS)

monkey: .venv/.ready-test
	$(BIN)/python tests/monkey $(ARGS)

kills: .venv/.ready-test
	$(BIN)/python tests/kills $(ARGS)

.venv/.ready: pyproject.toml .ci/bootstrap.py
	@$(PYTHON) .ci/bootstrap.py --stamp $@

.venv/.ready-test: pyproject.toml .ci/bootstrap.py
	@$(PYTHON) .ci/bootstrap.py --extras test,dev --stamp $@
