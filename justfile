# Short names for what a developer does all day. Every recipe is one command that works without just, too.

# The recipes.
default:
    @just --list

# Everything CI checks.
check:
    .ci/run

# The tests; arguments go to cargo test.
test *arguments:
    ./run test {{arguments}}

# The demo: a simulated store, the dashboard, GraphiQL.
demo *flags:
    ./run {{flags}}

# Write schema.graphql from the code.
schema:
    SQLX_OFFLINE=true cargo run --quiet --bin xboard -- schema > target/schema.graphql
    cp target/schema.graphql schema.graphql

# Write .sqlx from the queries and migrations.
sqlx:
    scripts/sqlx prepare

# Licences, sources, bans, and advisories where they can be reached.
deny:
    scripts/deny

# PostgreSQL and XBoard in containers.
up:
    docker compose up --build --detach

# Stop the containers; the data stays.
down:
    docker compose down
