#!/usr/bin/env bash
# How fast a large package is verified, and in how much memory: docs/performance.md.
#
#   benches/package.sh [EVENTS]
#
# Collects an invented account with so many events (4,400,000 give a package of about 1 GB) and 200 MB of attached files that do
# not compress, and times `unzip -p | sha256sum`, `verify --no-derivation` and `verify`. Takes unzip, GNU time and some disk in TMPDIR.
set -euo pipefail
cd "$(dirname "$0")/.."
events=${1:-4400000}
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
# BIN: a folder with other builds of both programs.
bin=${BIN:-$PWD/target/release}
[ -n "${BIN:-}" ] || cargo build --release --locked --workspace --bins --quiet

# Eight files of 24 MB, attached to one requirement.
for n in 1 2 3 4 5 6 7 8; do
    head -c 24000000 /dev/urandom >"$work/file-$n.bin"
    printf '[[manual]]\nfile = "file-%s.bin"\nrequirements = ["soc2 CC6.1"]\ndescription = "ballast"\nowner = "nobody"\ndate = 2026-01-01\n\n' "$n"
done >"$work/auditpack.toml"

"$bin/synthetic-aws" --port 0 --users 1000 --roles 1000 --policies 200 --events "$events" --regions us-east-1,eu-west-1 >"$work/server" &
server=$!
until endpoint=$(head -n 1 "$work/server") && [ -n "$endpoint" ]; do sleep 0.2; done

# Runs a command with the seconds and the peak resident memory behind its name.
measure() {
    local name=$1 code=0
    shift
    /usr/bin/time -o "$work/time" -f '%e %U %S %M' "$@" >"$work/out" || code=$?
    awk -v name="$name" -v code="$code" \
        'END { printf "%-34s %8.1f s   %8.1f s CPU   %6.0f MB   exit %s\n", name, $1, $2 + $3, $4 / 1024, code }' "$work/time"
}

export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true TMPDIR=$work
measure collect "$bin/auditpack" collect --quiet --as-of 2026-10-01T09:00:00Z --no-pacing --config "$work/auditpack.toml" \
    --endpoint-url "$endpoint" --out "$work/package.zip"
kill "$server"
ls -l "$work/package.zip" | awk '{ printf "package: %.0f MB\n", $5 / 1e6 }'
unzip -l "$work/package.zip" | tail -n 1 | awk '{ printf "unpacked: %.0f MB in %s files\n", $1 / 1e6, $2 }'

cat "$work/package.zip" >/dev/null
measure 'unzip -p | sha256sum' sh -c "unzip -p '$work/package.zip' | sha256sum"
measure 'sha256sum (the zip as it is)' sha256sum "$work/package.zip"
measure 'verify --no-derivation' "$bin/auditpack" verify "$work/package.zip" --no-derivation
measure 'verify' "$bin/auditpack" verify "$work/package.zip"
tail -n 3 "$work/out"
