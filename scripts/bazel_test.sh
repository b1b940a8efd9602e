#!/usr/bin/env bash
# Runs the tests with Bazel, without a network: Debian's bazel-bootstrap, which is installed where there is no Bazel.
#
#   scripts/bazel_test.sh .venv/bin/python                       all targets
#   scripts/bazel_test.sh .venv/bin/python //tests:test_seeds    these alone
#
# The tests run on that Python's packages, but for the project itself: a target has only what it declares.
set -euo pipefail
python=$1
shift
if ! command -v bazel >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends bazel-bootstrap >/dev/null
fi

# An environment that finds the packages of the other one, but does not read its .pth files: one of them has the project.
# That of setuptools is missed from Python 3.12 on, which has no distutils of its own.
environment=$(mktemp -d)
trap 'bazel shutdown; rm -rf "$environment"' EXIT
"$python" -m venv --without-pip "$environment"
packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cat >"$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/packages.pth" <<END
$packages
import sys; sys.version_info >= (3, 12) and __import__("setuptools")
END

cd "$(dirname "$0")/.."
PATH=$environment/bin:$PATH bazel test --nocache_test_results "${@:-//...}"
