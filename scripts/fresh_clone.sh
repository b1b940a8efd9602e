#!/usr/bin/env bash
# Clones the last commit into an empty directory and runs what a newcomer would there.
#
#   scripts/fresh_clone.sh                                    make demo, twice, and make test
#   PYTHON=python3.13 scripts/fresh_clone.sh                  with another interpreter
#   TENSORFLOW=2.20.0 scripts/fresh_clone.sh                  with another TensorFlow
#   scripts/fresh_clone.sh test                               with these targets of make alone
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone --quiet "$root" "$clone"
cd "$clone"
for target in "${@:-demo demo test}"; do
    for step in $target; do
        echo "== make $step"
        time make ${PYTHON:+PYTHON="$PYTHON"} ${TENSORFLOW:+TENSORFLOW="$TENSORFLOW"} "$step"
    done
done
