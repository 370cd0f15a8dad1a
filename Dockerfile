# syntax=docker/dockerfile:1
# The production image: the server without the demo's simulated store, as an ordinary user.
# It holds no PostgreSQL, so DATABASE_URL must be set (see docker-compose.yml).

# The pages, which become part of the program.
FROM node:22-slim AS pages
WORKDIR /pages
COPY web .
RUN for page in dashboard graphiql; do (cd "$page" && npm ci --no-audit --no-fund && npm run build) || exit 1; done

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
COPY --from=pages /pages/dashboard/dist web/dashboard/dist
COPY --from=pages /pages/graphiql/dist web/graphiql/dist
# The caches belong to the builder and not to the image, so the program is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    SQLX_OFFLINE=true cargo build --release --locked --no-default-features --bin xboard \
    && cp target/release/xboard /xboard

FROM debian:bookworm-slim
# Shopify is spoken to over TLS, whose roots the base image lacks.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin xboard
COPY --from=build /xboard /usr/local/bin/xboard
USER 10001
# Inside a container the loopback address reaches nobody.
ENV HOST=0.0.0.0 PORT=3001 LOG_FORMAT=json
EXPOSE 3001
# bash can speak HTTP by itself: no curl to install and to keep up to date.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /health HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200'"]
ENTRYPOINT ["xboard"]
CMD ["serve"]
