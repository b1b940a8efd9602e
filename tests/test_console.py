"""Protects the command of the installed package: which scripts it has, and how it calls them.

What it runs is the same as a script in a checkout; tests/test_package.py runs it from a wheel.
"""

import sys

import pytest

from sparse_rigl_lands import __version__, console, project


@pytest.fixture
def call(monkeypatch, capsys):
    """Calls the command; returns its status, and what it printed to stdout and stderr."""

    def called(*arguments):
        monkeypatch.setattr(sys, "argv", ["sparse-rigl-lands", *arguments])
        status = 0
        try:
            console.main()
        except SystemExit as left:
            status = left.code
        return status, *capsys.readouterr()

    return called


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_has_a_line_for_every_script(call, arguments):
    status, output, _ = call(*arguments)
    assert status == 0
    for name in project.scripts():
        assert f"\n    {name} " in output
    assert "Trains a network to one of the paper's solutions." in output


def test_version(call):
    assert call("--version") == (0, f"{__version__}\n", "")


def test_an_unknown_command_is_wrong_usage(call):
    assert call("trian") == (2, "", "error: there is no command 'trian'; close names: train (see --help)\n")


def test_a_script_runs_with_the_arguments_after_its_name(call, monkeypatch, tmp_path):
    script = tmp_path / "hello.py"
    script.write_text("import sys\nif __name__ == '__main__':\n    print(sys.argv)\n")
    monkeypatch.setattr(project, "scripts", lambda: {"hello": script})
    assert call("hello", "--seed=1") == (0, f"{[str(script), '--seed=1']}\n", "")
