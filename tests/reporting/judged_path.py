"""What ``path.json`` says of a path, made up for tests."""


def climb(height, start=0.0, end=0.0, lower=0.0, upper=None):
    return {"height": height, "start": start, "end": end, "lower": lower, "upper": height if upper is None else upper}


def judged(verdict, rise, barrier, fitting=None, lowest=0.1, dips=False):
    judged = {"verdict": verdict, "largest_rise": rise, "barrier": barrier}
    judged |= {"tolerance": 0.05, "confidence": 0.95, "images": 1437, "settings": {"fitting": fitting}}
    return {**judged, "lowest": {"t": 0.3, "cross_entropy": lowest, "below_both_ends": dips}}
