"""Runs a file of tests for Bazel, which starts programs: run_pytest.py FILE."""

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(["-p", "no:cacheprovider", *sys.argv[1:]]))
