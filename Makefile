# POK. `make help` lists what there is. Needs Python 3.11 or newer, make and git, nothing else.
# PYTHON=/path/to/python3 chooses the Python; PORT, POK_DATA_DIR and the like: see .env.example.

BIN := .venv/bin
TEMPLATES = $$(find templates -name '*.html')

.DEFAULT_GOAL := help
.PHONY: help run demo test bench chaos lint types messages lock clean env env-dev

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 | \2/p' Makefile | awk -F'|' '{printf "%-18s%s\n", $$1, $$2}'

run: env ## Start POK on http://127.0.0.1:8000 with everything that it needs
	@exec $(BIN)/python -m pok.launch

demo: env ## The same with sample inquiries, in a data folder of its own (var/demo)
	@exec $(BIN)/python -m pok.launch --demo

test: env-dev ## Run every test; under CI=true also the database tests on PostgreSQL
	@$(BIN)/python -m pok.tests.chromium
	@$(BIN)/python -m pytest -q -n auto --dist loadgroup
	@if [ "$$CI" = true ]; then POK_TEST_ON=postgres $(BIN)/python -m pytest -q -n auto --dist loadgroup -m 'not browser and not process'; fi

bench: env-dev ## Measure what POK costs (ROWS="intake worker" for some; minutes, on an idle machine)
	@$(BIN)/python -m bench $(ROWS) --json bench/results/bench.json

chaos: env-dev ## Kill POK's processes at random, then count what was lost or doubled (about ten minutes)
	@$(BIN)/python -m bench.chaos --database sqlite --json bench/results/chaos-sqlite.json
	@$(BIN)/python -m bench.chaos --database postgres --json bench/results/chaos-postgres.json || [ $$? = 77 ]
	@$(BIN)/python -m bench.chaos.waits bench/results/waits.json

lint: env-dev ## Style, format, templates, import directions, missing migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/djade --target-version 5.2 --check $(TEMPLATES)
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python manage.py makemigrations --check --dry-run

types: env-dev ## mypy --strict
	@$(BIN)/mypy .

messages: env-dev ## Collect the texts for translation and compile them (needs gettext)
	@$(BIN)/python manage.py makemessages --locale es --no-obsolete --no-wrap --add-location file --ignore '.venv/*' --ignore 'var/*'
	@$(BIN)/python manage.py compilemessages --locale es --ignore .venv

lock: env-dev ## Write the locks anew from requirements.in and requirements-dev.in (needs the network)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		--output-file requirements.txt requirements.in
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		--constraint requirements.txt --output-file requirements-dev.txt requirements-dev.in

clean: ## Remove the environment and caches; data in var/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

env:
	@bin/venv requirements.txt "$(PYTHON)"

env-dev:
	@bin/venv requirements-dev.txt "$(PYTHON)"
