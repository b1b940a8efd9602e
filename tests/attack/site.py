"""Where one command is attacked, and what may be said of it after each fault."""

import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping

from tests.attack import evidence
from tests.attack.outcome import Ended, Problem
from tests.attack.subjects import Subject
from tests.commands import Commands, Process


class Site:
    """One command at one directory: what is compared was made under the same path, and may name it.

    Args:
      subject: the command.
      directory: of the site.
      commands: start it.
    """

    def __init__(self, subject: Subject, directory: pathlib.Path, commands: Commands):
        self.subject, self._commands = subject, commands
        self.disk = directory / "disk"
        self.output = self.disk / "output"
        self._copies = directory / "copies"
        self.seconds = 60.0  # until it is measured
        self.disk.mkdir(parents=True, exist_ok=True)

    def measure(self) -> None:
        """Runs the command undisturbed: what it leaves, prints and takes is what is compared with.

        Raises:
          RuntimeError: it fails.
        """
        self.clear()
        started = time.monotonic()
        ended = self.run(afresh=True)
        if ended.status != 0:
            raise RuntimeError(f"{self.subject.name} fails by itself: {ended.errors}")
        self.seconds = time.monotonic() - started
        self._printed, self._results = ended.output, evidence.results(self.output)
        self.bytes = sum(path.stat().st_blocks * 512 for path in self.output.rglob("*"))
        self.keep("finished")

    def keep(self, name: str) -> None:
        """Keeps a copy of the directory as it is."""
        shutil.copytree(self.output, self._copies / name)

    def restore(self, name: str) -> None:
        """Makes the directory what it was when it was kept, times of files included."""
        self.clear()
        if name != "nothing":
            shutil.copytree(self._copies / name, self.output)

    def interrupt(self) -> None:
        """Makes the directory one of a command that was killed about halfway, and keeps it as ``interrupted``."""
        self.clear()
        process = self.start()
        while not list(self.output.glob(self.subject.halfway)):
            if process.poll() is not None:
                raise RuntimeError(f"{self.subject.name} has ended before it was halfway")
            time.sleep(0.005)
        process.kill()
        process.communicate()
        self.end_what_outlived()
        self.keep("interrupted")

    def clear(self) -> None:
        shutil.rmtree(self.output, ignore_errors=True)

    def start(
        self, afresh: bool = True, environment: Mapping[str, str] | None = None
    ) -> Process | subprocess.Popen[str]:
        more = {} if environment is None else {"environment": environment}
        return self._commands.start(*self.subject.arguments(self.output), afresh=afresh, **more)

    def run(self, afresh: bool = False) -> Ended:
        return self.end(self.start(afresh))

    def end(self, process: Process | subprocess.Popen[str]) -> Ended:
        """Waits until a command ends, and kills it where it hangs."""
        try:
            output, errors = process.communicate(timeout=120 + 10 * self.seconds)
            return Ended(process.returncode, output, errors)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return Ended(None, "", "")

    def end_what_outlived(self) -> list[Problem]:
        """Kills the commands that still work in the directory, though the one that started them is dead."""
        deadline = time.monotonic() + 5
        while alive := self._at_work():
            if time.monotonic() > deadline:
                for pid in alive:
                    subprocess.run(["kill", "-9", str(pid)], check=False)
                return [Problem("lost", f"{len(alive)} commands have outlived the one that started them")]
            time.sleep(0.05)
        return []

    def children_of(self, pid: int) -> list[int]:
        """The processes that a process has started and that are still running."""
        try:
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:  # it has ended
            return []
        return [int(child) for child in children]

    def goes_on(self, afresh: bool = False) -> list[Problem]:
        """What is wrong after the same command was run again, with nothing in its way."""
        return self.problems_of_end(self.run(afresh))

    def problems_of_end(self, ended: Ended, apart_from: str = "") -> list[Problem]:
        """What is wrong with a command that must have ended as the undisturbed one; of one file it may not know."""
        if ended.status != 0:
            return [Problem("badly told", f"does not go on, but ends with {ended.status}: {ended.told_last}")]
        problems = self.wrong_files(must_be_all=True, apart_from=apart_from)
        if ended.output != self._printed:
            problems.append(Problem("wrong", f"prints other than the undisturbed: {ended.output!r}"))
        return problems

    def wrong_files(self, must_be_all: bool = False, apart_from: str = "") -> list[Problem]:
        """Files that are other than the undisturbed left them; of tables that grow, rows.

        Args:
          must_be_all: whether none of them may be missing, and no other be there.
          apart_from: one that was damaged.
        """
        found = evidence.results(self.output)
        wrong = [
            name
            for name, content in found.items()
            if name in self._results and name != apart_from and not self._agrees(name, content, must_be_all)
        ]
        problems = [Problem("wrong", f"other than the undisturbed: {', '.join(wrong)}")] if wrong else []
        if must_be_all and found.keys() != self._results.keys():
            odd = ", ".join(sorted(found.keys() ^ self._results.keys()))
            problems.append(Problem("wrong", f"missing, or too many: {odd}"))
        return problems

    def _agrees(self, name: str, content: bytes, is_finished: bool) -> bool:
        expected = self._results[name]
        if not is_finished and name.endswith("metrics.csv"):
            return expected.startswith(content)
        if not is_finished and name == "runs.csv":  # of the runs that are done
            return set(content.splitlines()) <= set(expected.splitlines())
        if not is_finished and evidence.is_told_anew(name):
            return True
        return content == expected

    def lost_since(self, before: Mapping[str, int]) -> list[Problem]:
        """What was saved before and is not now, or cannot be read."""
        try:
            now = evidence.saved(self.output)
        except Exception as error:
            return [Problem("lost", f"what was saved cannot be read: {error}")]
        lost = [f"{name} ({items}, now {now.get(name)})" for name, items in before.items() if now.get(name, 0) < items]
        # sums are of no use once the path that they are of is finished
        lost = [each for each in lost if not (".npz" in each and self._is_finished_beside(each, now))]
        return [Problem("lost", f"no longer saved: {', '.join(lost)}")] if lost else []

    def _is_finished_beside(self, name: str, now: Mapping[str, int]) -> bool:
        return str(pathlib.Path(name.split(" (")[0]).with_name("path.json")) in now

    def saved(self) -> dict[str, int]:
        return evidence.saved(self.output)

    def _at_work(self) -> list[int]:
        """The processes whose command names the directory."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                arguments = path.read_bytes().decode(errors="replace")
            except OSError:  # it has ended
                continue
            if str(self.output) in arguments and sys.executable in arguments:
                found.append(int(path.parent.name))
        return found
