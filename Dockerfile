# The controller alone: a static binary, certificate authorities, a user. No shell, no sandbox, no demo.
FROM rust:1.95-bookworm AS build
WORKDIR /build
# Dependencies change rarely: they get a layer of their own, built against an empty program.
COPY Cargo.toml Cargo.lock ./
COPY crates/aws-sandbox/Cargo.toml crates/aws-sandbox/
RUN mkdir -p src benches tests/integration crates/aws-sandbox/src/bin \
 && echo 'fn main() {}' | tee src/main.rs benches/loopback.rs tests/integration/main.rs > crates/aws-sandbox/src/bin/aws-sandbox.rs \
 && touch src/lib.rs crates/aws-sandbox/src/lib.rs
# Naming the target keeps the static flags away from build scripts and procedural macros.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN cargo build --release --locked --no-default-features --target "$(rustc -vV | sed -n 's/^host: //p')"
COPY src src
RUN touch src/lib.rs src/main.rs \
 && cargo build --release --locked --no-default-features --target "$(rustc -vV | sed -n 's/^host: //p')" \
 && cp target/*/release/dhmc-controller / \
 && echo 'dhmc:x:65532:65532::/:' > /passwd

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /passwd /etc/passwd
COPY --from=build /dhmc-controller /dhmc-controller
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/dhmc-controller"]
CMD ["run", "--config", "/etc/dhmc/dhmc.yaml"]
