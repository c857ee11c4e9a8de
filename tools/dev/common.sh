# Sourced by every script in this folder: where we are, and how a missing package gets installed.

FLOWMEND_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export FLOWMEND_ROOT
export CCACHE_DIR=${CCACHE_DIR:-$FLOWMEND_ROOT/build/ccache}

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }

# Installs the Debian packages of the named lists in tools/dev/packages/ that are not installed yet.
install_packages() {
  local wanted=() list package
  for list in "$@"; do
    while read -r package; do
      [ -n "$package" ] && [ "${package:0:1}" != '#' ] && wanted+=("$package")
    done < "$FLOWMEND_ROOT/tools/dev/packages/$list"
  done
  local missing=()
  for package in "${wanted[@]}"; do
    # A newer Node.js from elsewhere serves as well as Debian's own.
    case "$package" in
      nodejs|npm) command -v "${package/nodejs/node}" >/dev/null && continue ;;
    esac
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "Installing: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "These Debian packages are missing and there is no sudo: ${missing[*]}. Install them as root and try again." >&2
      exit 1
    }
    as_root=(sudo)
  fi
  # Servers that tests start themselves are not to run as services of this machine. A policy that is there already is
  # its owner's.
  local policy=/usr/sbin/policy-rc.d ours= status=0
  if [ ! -e "$policy" ]; then
    ours=1
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
  fi
  "${as_root[@]}" apt-get update -qq || status=$?
  [ "$status" -ne 0 ] || "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 \
    --no-install-recommends "${missing[@]}" >/dev/null || status=$?
  [ -z "$ours" ] || "${as_root[@]}" rm -f "$policy"
  return "$status"
}

# Builds the portal into ui/dist when its sources changed since.
build_portal() {
  cd "$FLOWMEND_ROOT/ui"
  local stamp=node_modules/.flowmend-installed
  if [ ! -f "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
    say "Fetching the portal's packages"
    # Not `npm ci`: npm 11 refuses a lock file without registry addresses when optional packages of other platforms
    # are left out. `install` keeps to the lock file just the same.
    npm install --no-audit --no-fund --loglevel=error
    touch "$stamp"
  fi
  if [ ! -f dist/index.html ] || [ -n "$(find src public index.html package.json vite.config.* tsconfig*.json -newer dist/index.html -print -quit 2>/dev/null)" ]; then
    say "Building the portal"
    npm run build --silent
  fi
  cd "$FLOWMEND_ROOT"
}

# build_preset PRESET [TARGET...]: configures when needed and builds.
build_preset() {
  local preset=$1
  shift
  if [ ! -f "build/$preset/build.ninja" ]; then
    say "Configuring $preset"
    cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log"; exit 1; }
    rm -f "build-$preset.log"
  fi
  say "Building $preset"
  cmake --build "build/$preset" ${1:+--target "$@"}
}
