"""What is said of a path, in words: its shape and how surely, its ends, and on what grounds."""

from collections.abc import Sequence

from sparse_rigl_lands.reporting import words

# What the control points of a curve may use; a line has none.
MANIFOLDS = {"": "straight line", "sparse": "within the sparse subspace", "dense": "with every connection"}


def describe_path(result: dict) -> str:
    """What is said of the shape of a path, and how surely, from ``path.json``."""
    verdict, barrier, rise = result["verdict"], result["barrier"], result["largest_rise"]
    sure = words.percent(result["confidence"])
    surely = f"tolerance {result['tolerance']:g}, {sure} confidence, {result['images']:,} images"
    climbs = f"from t = {rise['start']:.2f} to {rise['end']:.2f}"
    within, dips = _within(result), _dip(result)
    if verdict == "monotone":  # up to the tolerance, and a path that dips is not called so
        monotone = "Nowhere a rise above the tolerance" if dips else "Monotone"
        return f"{monotone}{within}: the loss rises by {_bounds(rise)}{dips}; {surely}."
    if verdict == "barrier":
        left = ", is left" + within if within else ""
        return f"A barrier of {_bounds(barrier)} above the higher end, at t = {barrier['end']:.2f}{left}; {surely}."
    if verdict == "no_barrier":
        return (
            f"No barrier{within}, {_bounds(barrier)}, but the loss rises by {_bounds(rise)} {climbs}{dips}; {surely}."
        )
    if barrier["upper"] <= result["tolerance"]:
        return f"No barrier{within}, {_bounds(barrier)}; a rise is undecided: {_bounds(rise)} {climbs}{dips}; {surely}."
    return f"Undecided{within}: the largest rise is {_bounds(rise)}, the barrier {_bounds(barrier)}{dips}; {surely}."


def describe_ends(result: dict) -> list[str]:
    """What the loss is at both ends, on the path and by their own statistics and mask, from ``path.json``."""
    lines = []
    for name, own in result["ends_under_their_own_statistics_and_mask"].items():
        if own is None:
            lines.append(f"{name}: a control point of a fitted curve, without statistics of its own")
            continue
        on_path = result["ends_on_the_path"][name]
        shown = "not" if on_path is None else f"{on_path:.4f}"
        own_loss = f"{own['cross_entropy']:.4f} by its own statistics and mask"
        lines.append(f"{name}: cross-entropy {shown} on the path, {own_loss}")
    return lines


def barrier_in_words(result: dict) -> str:
    """The barrier alone, from ``path.json``, in at most two short lines; the budget of a fit is in the second."""
    barrier, more = result["barrier"], []
    if fitting := result["settings"]["fitting"]:
        more.append(f"within {fitting['steps']:,} steps")
    if barrier["upper"] <= result["tolerance"]:
        first = f"no barrier, {_bounds(barrier)}"
        if _dip(result):
            more.append(f"dips to {result['lowest']['cross_entropy']:.3f}")
    else:
        first = f"barrier {_bounds(barrier)}"
        if result["verdict"] != "barrier":
            more.append("undecided")
    return "\n".join([first, ", ".join(more)]).strip()


def _within(result: dict) -> str:
    """The budget of a fit: what it has not found it may find with a larger one."""
    fitting = result["settings"]["fitting"]
    return f" within {fitting['steps']:,} steps" if fitting else ""


def _dip(result: dict) -> str:
    """Where a path surely goes below both of its ends, it is not merely the way down from one to the other."""
    lowest = result["lowest"]
    if not lowest["below_both_ends"]:
        return ""
    return f"; it dips below both ends, to {lowest['cross_entropy']:.3f} at t = {lowest['t']:.2f}"


def _bounds(climb: dict) -> str:
    if climb["height"] == climb["lower"] == 0:
        return f"at most {words.rounded_up(climb['upper']):.3f}"
    return f"{climb['height']:.3f} ({words.bounds(climb['lower'], climb['upper'])})"


def name_of_end(end: dict) -> str:
    """An end of a path, from the settings in ``path.json``."""
    step = "initialization" if end["global_step"] == 0 else f"step {end['global_step']:,}"
    return f"{end['method']} (seed {end['seed']}, {step})"


def grounds(results: Sequence[dict]) -> str:
    """On what paths were evaluated, each from its ``path.json``; where they differ, all that holds for one of them."""
    batch_norm = words.alternatives(result["settings"]["batch_norm"] for result in results)
    return f"{images(results)}, BatchNorm: {batch_norm}"


def images(results: Sequence[dict]) -> str:
    """On how many images of which kind."""
    count = words.alternatives(f"{result['images']:,}" for result in results)
    augmented = (result["settings"]["augmented"] for result in results)
    return f"{count} {words.alternatives('augmented training' if each else 'training' for each in augmented)} images"
