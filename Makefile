# Two commands do everything on a fresh machine with Rust: `make demo` and `make test`.

CARGO ?= cargo
PROFILE ?= ci-release

.DEFAULT_GOAL := help
.PHONY: help needs build demo test bench fmt lint clean

help: ## Show what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

needs: ## Install what is missing of what the others need
	@scripts/needs

build: needs ## Build the program
	$(CARGO) build --locked --profile $(PROFILE) --bin marsad

demo: build ## Serve a temporary node with sample data on loopback
	@target/$(PROFILE)/marsad demo

test: ## Run everything that must hold before a change goes in
	@scripts/test

bench: needs ## Measure; the results are in bench/RESULTS.md
	@bench/run

fmt: ## Format the code
	$(CARGO) fmt --all

lint: ## Format check and lints, as `make test` does them
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --features marsad-watch/parquet,marsad/parquet --all-targets -- -D warnings
	$(CARGO) clippy --locked -p marsad --bin marsad -- -D warnings

clean: ## Remove what was built
	$(CARGO) clean
	rm -rf .venv
