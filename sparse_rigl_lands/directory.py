"""A directory that one command at a time writes into, known by the configuration of the work that lies there."""

import contextlib
import os
import pathlib
import re
from collections.abc import Iterator, Mapping

from sparse_rigl_lands import storage
from sparse_rigl_lands.errors import InputError

_IN_FORCE = "#   "  # a comment to gin


class Directory:
    """A directory that a command writes into."""

    def __init__(self, directory: str | os.PathLike[str]):
        self.directory = pathlib.Path(directory)

    @property
    def config(self) -> pathlib.Path:
        return self.directory / "config.gin"

    @property
    def digests(self) -> pathlib.Path:
        """Of all that finished work consists of."""
        return self.directory / "sha256sums.txt"

    def create(self) -> None:
        """Makes the directory, or says why it cannot be written.

        Raises:
          InputError: the directory cannot be made, or no file can be written in it.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            probe = self.directory / f".probe{storage.PARTIAL}"
            probe.write_bytes(b"")
            probe.unlink(missing_ok=True)  # another command may have tried as well
        except OSError as error:
            raise InputError(f"cannot write to {self.directory}: {error.strerror}") from error

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Makes the directory, and keeps other commands out of it meanwhile.

        Raises:
          InputError: the directory cannot be written, or another command is at work there.
        """
        self.create()
        with storage.alone(self.directory):
            yield

    @contextlib.contextmanager
    def claimed(self, config: str, settings: Mapping[str, object]) -> Iterator[None]:
        """Makes the directory that of one configuration, which is written to ``config.gin``, and is alone there.

        Args:
          config: the operative gin configuration of the work about to start.
          settings: what is in force, by name, whether gin or a program asked for it.

        Raises:
          InputError: the directory cannot be written, belongs to another configuration, holds files that
            belong to none, or another command is at work there.
        """
        with self.alone():
            content = self.check(config, settings)
            if not self.config.exists():
                storage.write_text(self.config, content)
            yield

    def check(self, config: str, settings: Mapping[str, object]) -> str:
        """Refuses the directory of another configuration, and writes nothing.

        Args:
          config, settings: see ``claimed``.

        Returns:
          What ``config.gin`` is to hold.

        Raises:
          InputError: the directory belongs to another configuration, holds files that belong to none, or its
            ``config.gin`` is damaged.
        """
        in_force = "".join(f"{_IN_FORCE}{name} = {value!r}\n" for name, value in settings.items())
        content = f"{config}\n# In force, for the record:\n{in_force}"
        if self.config.exists():
            found = storage.read_text(self.config)
            if found != content:
                raise InputError(
                    f"{self.directory} belongs to another configuration ({_first_difference(found, content)}); "
                    "choose another --output_dir"
                )
        elif self.directory.is_dir():
            found_there = [path.name for path in self.directory.iterdir()]
            others = [name for name in found_there if name != storage.LOCK and not name.endswith(storage.PARTIAL)]
            if others:
                raise InputError(f"{self.directory} holds {others[0]} but no config.gin; choose another --output_dir")
        return content


def _first_difference(found: str, wanted: str) -> str:
    """The first setting that differs between two operative configurations."""

    def settings(config: str) -> dict[str, str]:
        statements = re.sub(r"\\?\n +", " ", config).splitlines()
        pairs = (line.removeprefix(_IN_FORCE).partition(" = ") for line in statements)
        return {name: value for name, separator, value in pairs if separator}

    before, after = settings(found), settings(wanted)
    for name in [*after, *before]:
        if before.get(name) != after.get(name):
            return f"{name} is {before.get(name, 'absent')} there and {after.get(name, 'absent')} here"
    return "other imports or comments"
