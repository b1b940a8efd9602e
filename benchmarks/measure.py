"""What the benchmarks share: interleaved timing, peak memory, and a report that names the machine."""

import concurrent.futures
import multiprocessing
import os
import pathlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import tensorflow as tf
from rich.console import Console
from rich.table import Table

from sparse_rigl_lands import storage
from sparse_rigl_lands.devices import processor

_Result = TypeVar("_Result")


def interleaved_medians(
    candidates: Mapping[str, Callable[[], object]], rounds: int, untimed: int = 2
) -> dict[str, float]:
    """Times candidates in turn, so that what else the machine does falls on all of them alike.

    Args:
      candidates: name to a call.
      rounds: timed calls of each.
      untimed: calls of each before timing starts; the first one compiles.

    Returns:
      Name to the median seconds of a call.
    """
    for call in candidates.values():
        for _ in range(untimed):
            call()
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, call in candidates.items():
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def in_its_own_process(function: Callable[..., _Result], *arguments: object) -> _Result:
    """What a function of a module returns, called in a process that is new: it has allocated nothing before."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        return executor.submit(function, *arguments).result()


def peak_memory(function: Callable[..., object], *arguments: object) -> float:
    """The most memory, in MB, that a process is resident in which does nothing but call a function of a module."""
    return in_its_own_process(_peak_of, function, *arguments)


def _peak_of(function: Callable[..., object], *arguments: object) -> float:
    """Linux's own figure: that of getrusage counts the parent's, up to the start of this program, as well."""
    function(*arguments)
    status = pathlib.Path("/proc/self/status").read_text(encoding="utf-8")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) / 1024


def report(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Prints rows as a table and writes them to ``runs/benchmarks/<name>.json``.

    Args:
      name: of the benchmark.
      rows: sharing their keys. Where they have a ``ratio``, ``limit`` is the largest and ``at_least`` the
        smallest one allowed; a bound that is None, or not there, does not bound.

    Returns:
      Whether all ratios are within their bounds; how many are not is printed.
    """
    machine = f"{processor()}, {os.cpu_count()} cores, TensorFlow {tf.__version__}"
    table = Table(title=f"{name}, on {machine}")
    for column in rows[0]:
        table.add_column(column.replace("_", " "), justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    Console(width=120).print(table)
    directory = pathlib.Path("runs/benchmarks")
    directory.mkdir(parents=True, exist_ok=True)
    storage.write_json(directory / f"{name}.json", {"machine": machine, "rows": list(rows)})
    beyond = sum(not _is_within_bounds(row) for row in rows)
    if beyond:
        print(f"{name}: {beyond} of {len(rows)} ratios are not within their bounds")
    return not beyond


def _is_within_bounds(row: Mapping[str, Any]) -> bool:
    limit, at_least = row.get("limit"), row.get("at_least")
    return (limit is None or row["ratio"] <= limit) and (at_least is None or row["ratio"] >= at_least)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
