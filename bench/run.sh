#!/bin/sh
# Roundcube with its defaults (rc) and its best caches (rc_redis), Casilla (ours) and bare IMAP (raw) on the same Dovecot, the same
# mailboxes, in one run. MAILBENCH = folder of the harness, which may be read only; BENCH_ROOT = where its 6 GB go; the
# mailboxes are made at the first run. PEERS, USERS, PARTS, LOADS and ONLY choose a part of it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -n "${MAILBENCH:-}" ] || { echo "MAILBENCH does not say where the harness is" >&2; exit 1; }
: "${BENCH_ROOT:=$here/../var/bench}"
mkdir -p "$BENCH_ROOT"
BENCH_ROOT=$(cd "$BENCH_ROOT" && pwd)
export BENCH_ROOT PYTHONPATH="$MAILBENCH${PYTHONPATH:+:$PYTHONPATH}" PYTHONDONTWRITEBYTECODE=1 OURS_ADAPTER="$here/casilla.py"
[ -e "$BENCH_ROOT/mail/manifest.json" ] || sh "$MAILBENCH/setup.sh"
py="$BENCH_ROOT/venv/bin/python"
out="${OUT:-$BENCH_ROOT/results/run}"
mkdir -p "$(dirname "$out")"
peers="${PEERS:-rc,rc_redis,ours,raw}" users="${USERS:-u1k,u10k,u100k}"
stop() { $py -m mailbench.services stop >/dev/null; }
trap stop EXIT INT TERM
$py -m mailbench.services start dovecot redis php nginx >/dev/null
case ",$peers," in *,ours,*) $py "$here/casilla.py" ;; esac
for part in $(echo "${PARTS:-counts,actions,load}" | tr , ' '); do
  $py -m mailbench.run --peers "$peers" --users "$users" --parts "$part" --users-load "${LOADS:-1,8,32,64}" --only "${ONLY:-}" \
    --n "${N:-30}" --cold "${COLD:-3}" --cap "${CAP:-8}" --load-s "${LOAD_S:-12}" ${NO_BODY:+--no-body} --out "$out.json"
done
$py -m mailbench.report "$out" > "$out.md" || true
echo "$out.json"
