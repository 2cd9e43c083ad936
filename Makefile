# One entry for people and CI alike: `make check`.
.DEFAULT_GOAL := help
.PHONY: help check tools fmt lint test docs spelling deny image fuzz demo bench soak release-check release-tools advisories sbom

help: #? list what can be made
	@grep -E '^[a-z-]+:.*#\?' $(MAKEFILE_LIST) | sed -E 's/:[^#]*#\?/\t/' | expand -t 16

check: tools fmt lint deny test docs spelling #? everything that CI runs; sets up what it needs
	@echo "check: all is well"

tools: #? install what the checks need: Debian packages (as root) and tools under target/
	@tools/setup

fmt: #? check the formatting
	cargo fmt --all --check

lint: #? clippy, with and without the demo, and of the release checks, which --all-targets leaves out
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --test release --locked -- -D warnings
	cargo clippy --no-default-features --lib --bins --locked -- -D warnings

test: tools #? all tests: units, the AWS CLI against the sandbox, the controller against both referees
	cargo test --workspace --lib --tests --locked

docs: #? build the documentation; a broken link fails
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

spelling: tools #? look for misspelt words
	target/tools/venv/bin/typos

deny: tools #? hold licences, sources, doubles and build scripts of all crates against deny.toml
	target/tools/bin/cargo-deny --locked check bans licenses sources

release-check: release-tools #? what ships, with the real tools: the image, a cluster's API, alerts that arrive; needs root, takes half an hour the first time
	cargo test --locked --test release -- --test-threads 1

release-tools:
	@tools/setup release

# Where the image will be pulled from: put your own registry here.
IMAGE ?= ghcr.io/dhmc-controller/dhmc-controller:$(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
ENGINE ?= docker
BUILT ?= $(shell date -u +%Y-%m-%dT%H:%M:%SZ)
COMMIT ?= $(shell git describe --always --dirty --abbrev=40 --exclude '*')

image: #? build the container image IMAGE with ENGINE (docker, podman, buildah); ENGINE_FLAGS are its own
	@command -v $(firstword $(ENGINE)) >/dev/null || { echo "image: $(firstword $(ENGINE)) is missing: install it, or name another with ENGINE=podman or ENGINE=buildah"; exit 1; }
	@[ -n "$(COMMIT)" ] || { echo "image: git does not tell of which commit this is (see above): name it with COMMIT=..."; exit 1; }
	$(ENGINE) build $(ENGINE_FLAGS) --tag $(IMAGE) \
	  --build-arg DHMC_COMMIT="$(COMMIT)" \
	  --build-arg DHMC_BUILT="$(BUILT)" .

sbom: #? write what is built in, for a release: target/release-artifacts/*.cdx.json (CycloneDX)
	@tools/release/sbom

advisories: tools #? hold all crates against what became known of them; needs the network, so no part of check
	target/tools/bin/cargo-deny --locked check advisories

fuzz: #? fuzz each target for FUZZ_SECONDS (600); needs a nightly compiler, and is no part of check
	@tools/setup fuzz
	@tools/fuzz

demo: #? the main job on an embedded AWS
	cargo run --release -- demo

bench: #? measure speed and memory against the sandbox
	cargo bench --locked --bench loopback

soak: #? ten minutes (SOAK_SECONDS) of faults, edits and sabotage, after which everything has to be well
	cargo bench --locked --bench soak
