# One entry for people and CI alike: `make check`.
.DEFAULT_GOAL := help
.PHONY: help check tools fmt lint test docs spelling demo bench soak

help: #? list what can be made
	@grep -E '^[a-z-]+:.*#\?' $(MAKEFILE_LIST) | sed -E 's/:[^#]*#\?/\t/' | expand -t 12

check: tools fmt lint test docs spelling #? everything that CI runs; sets up what it needs
	@echo "check: all is well"

tools: #? install what the checks need: Debian packages (as root) and Python tools under target/
	@tools/setup

fmt: #? check the formatting
	cargo fmt --all --check

lint: #? clippy, with and without the demo
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --no-default-features --lib --bins --locked -- -D warnings

test: tools #? all tests: units, the AWS CLI against the sandbox, the controller against both referees
	cargo test --workspace --lib --tests --locked

docs: #? build the documentation; a broken link fails
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

spelling: tools #? look for misspelt words
	target/tools/venv/bin/typos

demo: #? the main job on an embedded AWS
	cargo run --release -- demo

bench: #? measure speed and memory against the sandbox
	cargo bench --locked --bench loopback

soak: #? ten minutes (SOAK_SECONDS) of faults, edits and sabotage, after which everything has to be well
	cargo bench --locked --bench soak
