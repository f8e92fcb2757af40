# A target brings whatever the machine lacks; setup/ says how.
bin := .venv/bin

.PHONY: help rehearse test check docs bench campaign lint machine environment engine base-image report browser registry promtool buildx
.NOTPARALLEL:

# Hundreds of processes start; without it, each of them would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

# Releases with real time limits run alone; most of any other test is waiting, so three share two cores, by file.
whole-releases := $(addprefix tests/,rehearsal production services command_line/test_first_hour.py)
side-by-side := --numprocesses=3 --dist=loadfile --no-loadscope-reorder $(addprefix --ignore=,$(whole-releases))

# What judges and decides, most of it in memory: no container, no browser, hardly a process.
quick := --ignore=tests/release/lock \
	$(addprefix tests/,canary checks config model monitoring record release test_budgets.py test_docs.py)

help:
	@echo 'make rehearse  a whole release on this machine, and its report'
	@echo 'make test      lint, types, layers and all tests'
	@echo 'make check     lint, types, layers and the quick tests'
	@echo 'make bench     what the engine costs'
	@echo 'make docs      the plots of docs/'
	@echo 'make campaign  releases under faults, kills and other people'
	@echo 'make machine   only what a rehearsal needs: environment, engine, base image, browser, Allure'

rehearse: machine
	@$(bin)/pytest features/; status=$$?; \
	echo 'report: file://$(CURDIR)/reports/report.html'; exit $$status

test: lint machine registry promtool buildx
	@$(bin)/pytest $(whole-releases) -m 'not long'
	@$(bin)/pytest $(side-by-side)

check: lint
	@$(bin)/pytest $(side-by-side) -m 'not docker' $(quick)

lint: environment
	@$(bin)/ruff check --quiet
	@$(bin)/ruff format --check --quiet
	@$(bin)/mypy --no-error-summary
	@$(bin)/lint-imports --no-logo >.setup/layers.log || { cat .setup/layers.log; exit 1; }

docs: environment
	@$(bin)/python -m benchmarks.verdict_plots

bench: machine
	@$(bin)/python -m benchmarks

campaign: machine registry
	@$(bin)/pytest $(whole-releases) -m long
	@$(bin)/python -m tests.campaign

machine: environment engine base-image report browser

environment:
	@setup/environment app/requirements.txt

engine base-image report browser registry promtool buildx:
	@setup/$@
