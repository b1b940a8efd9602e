"""The command of the installed package: ``sparse-rigl-lands train`` is what ``python train.py`` is in a checkout."""

import ast
import difflib
import pathlib
import runpy
import sys

from sparse_rigl_lands import __version__, project


def main() -> None:
    """Runs the script that the first argument names, with the others as its own."""
    name, *arguments = sys.argv[1:] or ["--help"]
    scripts = project.scripts()
    if name in ("-h", "--help"):
        print(_help(scripts))
    elif name == "--version":
        print(__version__)
    elif name in scripts:
        script = str(scripts[name])
        sys.argv = [script, *arguments]
        runpy.run_path(script, run_name="__main__")
    else:
        close = difflib.get_close_matches(name, scripts) or scripts
        print(f"error: there is no command {name!r}; close names: {', '.join(close)} (see --help)", file=sys.stderr)
        sys.exit(2)


def _help(scripts: dict[str, pathlib.Path]) -> str:
    width = max(map(len, scripts))
    lines = (f"    {name:{width}}  {_first_line(path)}" for name, path in scripts.items())
    return "\n".join(
        (
            f"usage: {project.CONSOLE_COMMAND} COMMAND [FLAG]...",
            "",
            *lines,
            "",
            f"{project.CONSOLE_COMMAND} COMMAND --help tells of one; what is called python train.py there is",
            f"{project.CONSOLE_COMMAND} train here. Gin files are looked up from the working directory, then among",
            f"those that were installed: {project.DIRECTORY / 'gin'}",
        )
    )


def _first_line(script: pathlib.Path) -> str:
    """What a script does, in the words of its docstring; it is not run."""
    return (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n")[0]
