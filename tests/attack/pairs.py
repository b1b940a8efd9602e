"""Two processes that are started on one directory."""

import signal
import time
from collections.abc import Iterator

import numpy as np

from sparse_rigl_lands.storage import LOCK
from tests.attack.outcome import Ended, Injection, Problem, problems_of_refusal
from tests.attack.site import Site


def at_once(site: Site, random: np.random.Generator, count: int) -> Iterator[Injection]:
    """Starts a command twice, at the same time or the second while the first is at work: one of them must refuse."""
    for place in range(count):
        site.clear()
        first = site.start()
        if place:
            while first.poll() is None and not (site.output / LOCK).exists():
                time.sleep(0.01)
            first.send_signal(signal.SIGSTOP)  # else it might end before the second asks
            second = site.end(site.start())
            first.send_signal(signal.SIGCONT)
            ended = [site.end(first), second]
        else:
            processes = [first, site.start()]
            ended = [site.end(process) for process in processes]
        when = "while the first is at work" if place else "at the same time"
        yield Injection(f"two at once, the second {when}", tuple(_problems(site, ended)))


def _problems(site: Site, ended: list[Ended]) -> list[Problem]:
    refused = [each for each in ended if each.status == 1]
    if len(refused) != 1:
        problems = [Problem("badly told", f"of two at once {len(refused)} refuse; they end with {_statuses(ended)}")]
        return [*problems, *site.goes_on()]
    [done] = [each for each in ended if each not in refused]
    problems = [*problems_of_refusal(refused[0], site.output), *site.problems_of_end(done)]
    if f"another command is at work in {site.output}" not in refused[0].errors:
        problems.append(Problem("badly told", f"refuses for another reason: {refused[0].errors}"))
    return problems


def _statuses(ended: list[Ended]) -> str:
    return " and ".join(str(each.status) for each in ended)
