"""SIGKILL at random moments, of a command and of what it has started."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import numpy as np

from tests.attack.outcome import Injection, Problem, problems_of_refusal
from tests.attack.site import Site


def kill(site: Site, random: np.random.Generator, count: int) -> Iterator[Injection]:
    """Kills a command at moments that are spread evenly over the time that it takes.

    It is started again after each kill, and may be killed again, until it ends by itself: then its results are
    compared, and another chain of kills begins with an empty directory. Of commands that start others, every third kill
    is of one of those.
    """
    site.clear()
    in_chain: list[Injection] = []
    injected = 0
    while injected < count or in_chain:
        moment = random.uniform(0, site.seconds)
        is_child = site.subject.starts_others and injected % 3 == 2
        before = site.saved()
        process = site.start()
        if injected < count:
            try:
                process.communicate(timeout=moment)
            except subprocess.TimeoutExpired:
                problems = _kill_child(site, process, random) if is_child else _kill(site, process)
                if problems is not None:
                    injected += 1
                    problems += [*site.lost_since(before), *site.wrong_files()]
                    whose = " of a command that it had started" if is_child else ""
                    in_chain.append(Injection(f"SIGKILL{whose} after {moment:.2f} s", tuple(problems)))
                    continue
        ended = site.end(process)
        problems = [*site.lost_since(before), *site.problems_of_end(ended)]
        if in_chain:
            last = in_chain[-1]
            in_chain[-1] = Injection(last.what, (*last.problems, *problems))
        elif problems:
            raise RuntimeError(f"{site.subject.name} fails undisturbed: {problems}")
        yield from in_chain
        in_chain = []
        site.clear()


def _kill(site: Site, process: subprocess.Popen[str]) -> list[Problem] | None:
    """Kills a command; None where it has ended by itself."""
    if process.poll() is not None:
        return None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return site.end_what_outlived()


def _kill_child(site: Site, process: subprocess.Popen[str], random: np.random.Generator) -> list[Problem] | None:
    """Kills one of the commands that a command has started, as soon as there is one; None where there is none."""
    while process.poll() is None:
        if children := site.children_of(process.pid):
            os.kill(int(random.choice(children)), signal.SIGKILL)
            ended = site.end(process)
            if ended.status == 0:  # it had just ended
                return site.problems_of_end(ended)
            return problems_of_refusal(ended, site.output)
        time.sleep(0.02)
    return None
