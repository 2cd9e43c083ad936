# The controller alone: a static binary, certificate authorities, a user. No shell, no sandbox, no demo. For any architecture that the
# two images below are made for: it is built for the one that it is built on, or that --platform asks for.

# Debian's certificate authorities, from Debian's package.
FROM docker.io/library/debian:bookworm-slim AS authorities
# The newest of this stable release is wanted: browsers drop authorities, and so has Debian.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /build
# Naming the target keeps these flags away from build scripts and procedural macros. The second writes down in a fraction of the room where the
# program is to be adjusted to its address, and is ignored by linkers that cannot do that.
ENV RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs"
# Dependencies change rarely: they get a layer of their own, built under an empty program. A manifest alone is no package to
# cargo, so each has an empty library; tests and benchmarks need not be there. What was built of the empty program is removed again.
# Where a proxy signs what cargo downloads, `--secret id=authorities,src=FILE` has cargo trust it; no image gets to hold the file.
COPY Cargo.toml Cargo.lock ./
COPY crates/aws-sandbox/Cargo.toml crates/aws-sandbox/
RUN --mount=type=secret,id=authorities \
    if [ -e /run/secrets/authorities ]; then export CARGO_HTTP_CAINFO=/run/secrets/authorities; fi \
 && for manifest in Cargo.toml crates/*/Cargo.toml; do mkdir "${manifest%Cargo.toml}src" && touch "${manifest%Cargo.toml}src/lib.rs"; done \
 && echo 'fn main() {}' > src/main.rs \
 && cargo build --release --locked --no-default-features --target "$(rustc --print host-tuple)" \
 && cargo clean --release --target "$(rustc --print host-tuple)" --package dhmc-controller
COPY src src
# What --version tells besides the version.
ARG DHMC_COMMIT
ARG DHMC_BUILT
# What came to be on the way is removed, or each build's layer would hold all of it.
RUN cargo build --release --locked --offline --no-default-features --target "$(rustc --print host-tuple)" \
 && cp "target/$(rustc --print host-tuple)/release/dhmc-controller" / \
 && rm -rf target \
 && echo 'dhmc:x:65532:65532::/:' > /passwd

FROM scratch
ARG DHMC_VERSION=0.1.0
ARG DHMC_COMMIT
ARG DHMC_BUILT
LABEL org.opencontainers.image.title="dhmc-controller" \
      org.opencontainers.image.description="Keeps AWS Systems Manager's Default Host Management Configuration in the declared state." \
      org.opencontainers.image.source="https://github.com/dhmc-controller/dhmc-controller" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$DHMC_VERSION" \
      org.opencontainers.image.revision="$DHMC_COMMIT" \
      org.opencontainers.image.created="$DHMC_BUILT"
COPY --from=authorities /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /passwd /etc/passwd
COPY --from=build /dhmc-controller /dhmc-controller
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/dhmc-controller"]
CMD ["run", "--config", "/etc/dhmc/dhmc.yaml"]
