#!/usr/bin/env bash
# Builds the source distribution and the wheel into dist/, and tries the wheel with every Python that is given: in an
# environment of its own, outside of the project, it must install, answer --help, find its gin files, and train. Prints
# the seconds that each takes.
#
#   scripts/try_wheel.sh .venv/bin/python python3.10 python3.11 python3.12 python3.13
#
# The first one builds, and must have the package `build`; those that are not here are passed over.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
builder=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints the seconds that a command takes; what it says is kept in $work/said.
seconds() {
    local start=$EPOCHREALTIME
    "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2 && return 1; }
    awk "BEGIN { printf \"%.2f\", $EPOCHREALTIME - $start }"
}

rm -rf "$project/dist"
took=$(seconds "$builder" -m build --outdir "$project/dist" "$project")
wheel=$(echo "$project"/dist/*.whl)
echo "built in $took s: $(cd "$project/dist" && echo *)"

printf '%-14s %9s %8s %8s %12s %8s\n' python install import --help 'warm --help' train
tried=0
for python; do
    version=$("$python" --version 2>/dev/null) || { printf '%-14s not here\n' "$python" && continue; }
    "$python" -m venv "$work/venv"
    pushd "$work" >/dev/null # not the project, whose modules would be found first
    install=$(seconds venv/bin/pip install --quiet --constraint "$project/constraints.txt" "$wheel")
    # What was never imported is compiled first: the bytecode of what --help needs is taken away again.
    find venv -name __pycache__ -prune -exec rm -rf {} +
    help=$(seconds venv/bin/sparse-rigl-lands train --help)
    warm=$(seconds venv/bin/sparse-rigl-lands train --help)
    import=$(seconds venv/bin/python -c 'import sparse_rigl_lands')
    train=$(seconds venv/bin/sparse-rigl-lands train --gin_file=gin/digits/dense.gin --output_dir=run \
        --gin_param='Recipe.steps=200' --gin_param='WarmupStepDecay.drops=(150,)')
    grep -qx 'checkpoint: run/checkpoints/step_00000200' said
    printf '%-14s %9s %8s %8s %12s %8s\n' "$version" "$install" "$import" "$help" "$warm" "$train"
    popd >/dev/null
    rm -rf "$work/venv" "$work/run"
    tried=$((tried + 1))
done
[ "$tried" -gt 0 ] || { echo "error: none of these Pythons is here" >&2 && exit 1; }
