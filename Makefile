# Each target is one line over public tools; whoever dislikes make can run the line (with .venv/bin on PATH).

PYTHON ?= python3
ENV ?= lab
COLLECTION := collections/ansible_collections/hypergraph/sidecar
machine_path := $(PATH)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

.PHONY: verify test unit whole bench lint sanity format changelog lab-up lab-down clean

verify: .venv/run $(if $(filter lab,$(ENV)),lab-up)  ## is the environment fit to serve?
	ansible-playbook playbooks/verify.yml -i inventories/$(ENV) $(ARGS)

test: unit whole  ## every test

unit: .venv/dev  ## the library, with its coverage
	coverage erase && coverage run -m pytest -q -n 2 $(COLLECTION)/tests/unit && coverage combine -q && coverage report

whole: .venv/dev  ## playbooks on the lab, the defect matrix, the browser, the layout
	pytest -q -n 3 -m 'not paced' --durations 20 tests && pytest -q -n 2 -m paced --durations 20 tests

bench: .venv/dev  ## what it costs, beside its peers; writes benchmarks/RESULTS.md
	python -m benchmarks.chart && python -m benchmarks.load && python -m benchmarks.load_pacing

lint: .venv/dev  ## style, types, documentation
	ruff check && ruff format --check && mypy && ansible-lint --offline && antsibull-docs lint-collection-docs --plugin-docs $(COLLECTION) && cd $(COLLECTION) && antsibull-changelog lint

sanity: .venv/dev  ## what Galaxy demands of a collection
	cd $(COLLECTION) && ansible-test sanity --python default $(ARGS)

format: .venv/dev
	ruff check --fix && ruff format

lab-up: .venv/run
	python -m lab up

lab-down: .venv/run
	python -m lab down

clean: lab-down
	rm -rf .venv .lab .ansible .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

.venv/bin/pip: export PATH := $(machine_path)
.venv/bin/pip: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.12")' && $(PYTHON) -m venv --without-pip .venv && $(PYTHON) -m pip --python .venv/bin/python install --quiet 'pip>=25.1' && touch $@

.venv/run: .venv/bin/pip
	pip install --quiet --group run && python -m lab.helm --into .venv/bin && touch $@

.venv/dev: .venv/bin/pip
	pip install --quiet --group dev && python -m lab.helm --into .venv/bin && touch $@ .venv/run
