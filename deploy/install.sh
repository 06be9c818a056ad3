#!/usr/bin/env bash
# Installs what is missing and nothing else: Debian packages, the virtual environment from its hashed lock, the
# front-end packages, the compiled translations. With everything there it is done in a moment.
set -euo pipefail
cd "$(dirname "$0")/.."

SUDO=""
[ "$(id -u)" = 0 ] || SUDO="sudo"

LOG=var/install.log

fail() { printf 'Cannot install: %s\n' "$1" >&2; exit 1; }

# logged COMMAND...: runs it with its output in the log; shows the end of it when the command fails.
logged() { "$@" >>"$LOG" 2>&1 || { tail -n 12 "$LOG" >&2; return 1; }; }

# python_311: a Python 3.11 that can make environments. Debian's own first: it is built with profile and link time optimisation and
# takes a quarter to a third less CPU for a page than one that was built without (docs/speed.md).
python_311() {
  local python
  for python in /usr/bin/python3 python3 python3.11; do
    "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || continue
    echo "$python"
    return
  done
  return 1
}

missing_packages() {
  local wanted="dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-sieve dovecot-managesieved dovecot-sqlite
    dovecot-pgsql postfix postfix-sqlite postfix-pgsql postgresql sqlite3 redis-server gettext mutt isync"
  python_311 >/dev/null || wanted="$wanted python3-venv"
  command -v node >/dev/null || wanted="$wanted nodejs"
  command -v npm >/dev/null || wanted="$wanted npm"
  command -v chromium-headless-shell >/dev/null || wanted="$wanted chromium-headless-shell"
  local installed
  installed=" $(dpkg-query -W -f='${db:Status-Status}:${Package} ' $wanted 2>/dev/null || true) "
  for package in $wanted; do
    case "$installed" in *" installed:$package "*) ;; *) printf '%s ' "$package" ;; esac
  done
}

install_packages() {
  printf 'Installing Debian packages, which takes a minute or two (what happens is in %s): %s\n' "$LOG" "$*"
  command -v apt-get >/dev/null || fail "this needs Debian's apt-get; by hand: $*"
  [ -z "$SUDO" ] || command -v sudo >/dev/null || fail "run it as root, or install sudo"
  # Casilla starts its own servers; the packages' own stay as they are, and new ones stay off.
  local policy=/usr/sbin/policy-rc.d own=""
  if [ ! -e "$policy" ]; then
    own=1
    printf '#!/bin/sh\nexit 101\n' | $SUDO tee "$policy" >/dev/null
    $SUDO chmod 755 "$policy"
    trap '$SUDO rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  if ! dpkg-query -W -f='${db:Status-Status}' postfix 2>/dev/null | grep -qx installed; then
    printf 'postfix postfix/main_mailer_type select No configuration\n' | $SUDO debconf-set-selections
  fi
  local apt="$SUDO env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0"
  logged $apt update || fail "apt-get update failed (is there a network?)"
  logged $apt install --no-install-recommends "$@" || fail "apt-get could not install: $*"
  if [ -n "$own" ]; then $SUDO rm -f "$policy"; trap - EXIT; fi
}

# up_to_date STAMP FILE...: whether the stamp was made from these very files.
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
up_to_date() { local stamp=$1; shift; [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(digest "$@")" ]; }

install_python() {
  up_to_date .venv/.stamp requirements/dev.txt && return
  local python
  python=$(python_311) || fail "Casilla needs Python 3.11 with its module venv"
  printf 'Installing the Python packages into .venv\n'
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip --disable-pip-version-check install -q --require-hashes -r requirements/dev.txt \
    || fail "pip could not install requirements/dev.txt"
  digest requirements/dev.txt > .venv/.stamp
}

install_front_end() {
  up_to_date node_modules/.stamp package.json package-lock.json && return
  printf 'Installing the front-end packages into node_modules\n'
  npm ci --silent --no-audit --no-fund || fail "npm could not install package-lock.json"
  digest package.json package-lock.json > node_modules/.stamp
}

compile_translations() {
  local catalogue
  for catalogue in locale/*/LC_MESSAGES/*.po; do
    [ -e "$catalogue" ] || continue
    [ "${catalogue%.po}.mo" -nt "$catalogue" ] || msgfmt -o "${catalogue%.po}.mo" "$catalogue"
  done
}

mkdir -p var
packages=$(missing_packages)
[ -z "$packages" ] || install_packages $packages
install_python
install_front_end
compile_translations
