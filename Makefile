# Everything a person types here. `make run` needs Python 3.11+ and make, nothing else.
SHELL := /bin/sh
PYTHON := .venv/bin/python
INSTALLED := .venv/.installed
CODE := app.py api benchmarks cli components config database diagnosis jobs models pages services web

.DEFAULT_GOAL := help
.PHONY: help install run test lint lock bench traffic scaling guards audit sbom enumeration fuzz races stops kills contract rollups outages writers

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: install  ## install what is missing and serve on http://127.0.0.1:8050 until Ctrl-C
	@exec .venv/bin/pfd serve

install: $(INSTALLED)  ## make or renew .venv from requirements.lock

# The stamp comes last and a new .venv goes when anything fails: what is there is always whole.
# Of what pip says, a line for twenty packages is shown, and all of it from an error on.
$(INSTALLED): requirements.lock pyproject.toml
	@rm -f $@; existed=$$(test -x $(PYTHON) && echo yes || echo no); \
	fail() { [ $$existed = yes ] || rm -rf .venv; echo "$$1" >&2; exit 1; }; \
	tell_progress() { \
		seen=0; told=; status=0; \
		while IFS= read -r line; do \
			case "$$told$$line" in \
				*"$$gave_up") status=1;; \
				Collecting*|Processing*|Requirement*|Ignoring*) \
					seen=$$((seen + 1)); [ $$((seen % 20)) -gt 0 ] || echo "  $$seen of $$total";; \
				Installing*) echo "  all are here; putting them into .venv takes about as long again";; \
				ERROR*) told=ERROR; echo "$$line" >&2;; \
			esac; \
		done; \
		return $$status; \
	}; \
	if [ $$existed = no ]; then \
		for name in python3 python3.14 python3.13 python3.12 python3.11; do \
			if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$name; break; fi; \
		done; \
		[ -n "$$found" ] || fail "PFD needs Python 3.11 or newer; none was found on the PATH."; \
		echo "Making .venv with $$($$found --version)"; rm -rf .venv; \
		$$found -m venv .venv || fail "Python cannot make a virtual environment; on Debian: apt-get install python3-venv."; \
	fi; \
	gave_up="pip gave up"; total=$$(grep -c '^[a-z0-9]' requirements.lock); \
	echo "Installing the $$total packages of requirements.lock (a few minutes the first time)"; \
	{ $(PYTHON) -m pip install --progress-bar off --disable-pip-version-check --no-input --require-hashes --no-deps \
		-r requirements.lock 2>&1 || echo "$$gave_up"; } | tell_progress \
		|| fail "The packages of requirements.lock could not be installed; the reason stands above."; \
	$(PYTHON) -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-build-isolation --editable . \
		|| fail "PFD itself could not be installed into .venv; the reason stands above."
	@touch $@

# One process more than there are cores: half of the time a test waits for a browser, a server or a worker.
test: install  ## all tests: SQLite, PostgreSQL and Chromium (CI=true turns what is missing into a failure)
	@$(PYTHON) -m pytest --dist loadfile --no-loadscope-reorder --numprocesses \
		$$($(PYTHON) -c 'import os; print(min((os.cpu_count() or 1) + 1, 4))')

lint: install  ## ruff (rules and format) and mypy
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy $(wildcard $(CODE))

lock:  ## renew requirements.lock from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: see https://docs.astral.sh/uv/ or pip install uv." >&2; exit 1; }
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--python-version 3.11 --extra s3 --extra test --output-file requirements.lock pyproject.toml

AUDIT := .venv/audit
$(AUDIT): pyproject.toml
	@$(PYTHON) -m venv --clear $@ && $(PYTHON) -c "import tomllib; \
		print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['audit'], sep='\n')" \
		> $@/wanted && $@/bin/pip install -q --disable-pip-version-check -r $@/wanted \
		|| { rm -rf $@; echo "The tools of the audit could not be installed; the reason stands above." >&2; exit 1; }

audit: install $(AUDIT)  ## look for known holes in the packages of requirements.lock (needs the network)
	@$(PYTHON) -m cli.audit $(AUDIT)/bin/pip-audit

sbom: install $(AUDIT)  ## write sbom.json, the inventory of packages as CycloneDX
	@$(AUDIT)/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml -o sbom.json

bench: install  ## measure against the floors (DATABASE_URL for PostgreSQL)
	@$(PYTHON) -m benchmarks

traffic: install  ## ask for the page of API metrics over 10,000,000 requests (some ten minutes)
	@$(PYTHON) -m benchmarks.traffic

scaling: install  ## write a day of 1,000 experiments that log, and weigh it against docs/scaling.md (ten minutes or more)
	@$(PYTHON) -m benchmarks.scaling

guards: install  ## take each guard away in turn and see whether the tests notice (an hour or two)
	@$(PYTHON) -m tests.campaigns.lost_guards

enumeration: install  ## time 2,000 pairs of existing and missing accounts (some ten minutes)
	@$(PYTHON) -m tests.campaigns.enumeration

fuzz: install  ## 100,000 requests of every kind to /api/v1 on each database: none may be answered by a fault of ours
	@FUZZ_CASES=280 $(PYTHON) -m pytest -q --timeout 0 tests/api/v1/test_fuzz.py

contract: install  ## all checks of schemathesis on the document of the API, with three kinds of keys on both databases
	@$(PYTHON) -m tests.campaigns.contract

rollups: install  ## sum up 1,000 made histories, kill the job 200 times, count 10,000 requests of four processes
	@PFD_TEST_DAYS=1000 PFD_TEST_KILLS=200 PFD_TEST_REQUESTS=10000 $(PYTHON) -m pytest -q --timeout 0 \
		tests/services/test_metric_rollup.py tests/web/test_metrics.py

outages: install  ## take the database away 50 times under load: what was acknowledged is there, and it comes back
	@PFD_TEST_OUTAGES=50 $(PYTHON) -m pytest -q --timeout 0 tests/api/test_ingest_outage.py

writers: install  ## let 16 writers commit for a minute, and four processes ask at five times a limit for as long
	@PFD_TEST_SECONDS=60 $(PYTHON) -m pytest -q --timeout 0 tests/database/test_together.py tests/services/test_limits.py

stops: install  ## end a service under load 50 times on each database: what it has taken in is answered
	@PFD_TEST_STOPS=50 $(PYTHON) -m pytest -q -s tests/cli/test_graceful_stop.py

races: install  ## two super admins remove each other at once, 1,000 times in three ways, and others act at once 200 times
	@PFD_TEST_ROUNDS=1000 $(PYTHON) -m pytest -q --timeout 0 tests/services/test_people.py -k remove_each_other
	@PFD_TEST_TIMES=200 $(PYTHON) -m pytest -q --timeout 0 tests/services/test_acts_at_once.py

kills: install  ## kill -9 a process that answers API requests 200 times on each database, and count what is lost
	@PFD_TEST_KILLS=200 $(PYTHON) -m pytest -q -s tests/api/test_records_survive.py tests/api/test_ingest_survives.py
