"""Protects: which runs and paths a study has, which claim each path decides, and how surely."""

import collections

import gin
import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.studies.study import Study
from tests.commands import ROOT
from tests.studies.finished_study import study


def test_runs_are_those_of_two_sweeps():
    main, others = study().sweeps()
    methods = collections.Counter(run.method for run in main.runs())
    assert methods == {"dense": 3, "pruned": 3, "lottery": 3, "scratch": 3, "zeroed_init": 6}
    assert {(run.sparsity, run.seed) for run in others.runs()} == {(0.9, 0), (0.9, 1)}
    assert {run.method for run in others.runs()} == {"pruned", "lottery", "scratch"}
    names = [run.name for sweep in (main, others) for run in sweep.runs()]
    assert len(names) == len(set(names))


def test_without_other_sparsities_there_is_one_sweep():
    (sweep,) = study(other_sparsities=(), zeroed_fractions=(), methods=("pruned", "lottery", "scratch")).sweeps()
    assert {run.method for run in sweep.runs()} == {"pruned", "lottery", "scratch"}


def test_what_differs_by_sparsity_goes_to_its_sweep():
    more = {0.9: ("PruningSchedule.end_step = 900",), 0.99: ("Objective.label_smoothing = 0.0",)}
    main, others = study(bindings_of_sparsity=more).sweeps()
    assert dict(main.bindings_of_sparsity) == {0.99: more[0.99]}
    assert dict(others.bindings_of_sparsity) == {0.9: more[0.9]}


def test_every_path_has_a_name_of_its_own_and_only_fits_have_a_budget():
    paths = study().paths()
    names = [path.name for path in paths]
    assert len(names) == len(set(names)) == 2 * 7 + 2 * 4 + 4
    assert "paths/S-I_to_P-S/line-seed1" in names
    assert "paths/S-S_to_P-S/cubic_dense-1200-seed0" in names
    for path in paths:
        budget = [binding for binding in path.run.bindings if binding.startswith("BUDGET")]
        assert budget == ([f"BUDGET = {path.run.steps}"] if path.run.steps else [])


def test_other_budgets_are_for_the_first_seed_and_decide_no_claim():
    others = [path for path in study().paths() if path.run.steps == 300]
    assert [(path.seed, path.claim) for path in others] == [(0, 0)] * 4


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (2, {("L-I", "P-S", "line"), ("S-I", "P-S", "line")}),
        (3, {("S-S", "P-S", curve) for curve in ("line", "quadratic_sparse", "cubic_sparse")}),
        (4, {("S-S", "P-S", curve) for curve in ("quadratic_dense", "cubic_dense")}),
    ],
)
def test_paths_decide_the_claims_that_are_about_them(claim, expected):
    paths = [path for path in study().paths() if path.claim == claim]
    assert {(path.start, path.end, path.run.curve) for path in paths} == expected
    assert len(paths) == 2 * len(expected)


def test_the_bounds_of_a_claim_hold_together():
    """Bonferroni's inequality: the errors allowed to its paths sum to that of the study."""
    of = study(confidence=0.9)
    for claim in (2, 3, 4):
        paths = [path for path in of.paths() if path.claim == claim]
        assert len(paths) * (1 - of.confidence_of_a_path(claim)) == pytest.approx(0.1)


def test_more_seeds_and_lines_leave_the_other_paths_what_they_are():
    """A study can be extended in its directory."""
    small = study(path_seeds=(0,), lines=("S-S to P-S",), confidence=0.9).paths()
    large = {path.name: path.run for path in study(path_seeds=(0, 2)).paths()}
    for path in small:
        assert large[path.name] == path.run


def test_without_seeds_for_paths_there_are_none():
    assert study(path_seeds=()).paths() == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"seeds": ()}, "the study has no solutions: give Study.seeds"),
        ({"seeds": 3}, "Study.seeds is 3; it must be a list"),
        ({"seeds": (2**63,)}, f"Study.seeds names {2**63}; it must be a whole number that 64 bits hold"),
        ({"other_seeds": (2**63,)}, f"Study.other_seeds names {2**63}; it must be a whole number that 64 bits hold"),
        ({"path_seeds": (False,)}, "Study.path_seeds names False; it must be a whole number"),
        ({"path_seeds": (0, 7)}, "Study.path_seeds names 7, which is none of Study.seeds"),
        ({"other_sparsities": (0.99,)}, "Study.other_sparsities names 0.99, which is Study.sparsity"),
        ({"other_sparsities": (1.5,)}, "sparsities names 1.5; it must be a number above 0 and below 1"),
        ({"bindings_of_sparsity": 3}, "Study.bindings_of_sparsity is 3; it must be a dictionary"),
        ({"bindings_of_sparsity": {0.89: ()}}, "Study.bindings_of_sparsity names 0.89, which is no sparsity"),
        ({"lines": ("S-I - P-S",)}, "Study.lines names 'S-I - P-S'; it must be such as 'S-I to P-S'"),
        ({"lines": ("S-I to X-S",)}, "of the points D-I, P-S, L-I, L-S, S-I, S-S, D-S"),
        ({"lines": ("P-S to P-S",)}, "Study.lines names 'P-S to P-S'"),
        ({"lines": (3,)}, "Study.lines names 3"),
        (
            {"methods": ("pruned", "lottery")},
            "from S-I to P-S needs a scratch run, which Study.methods does not",
        ),
        ({"sparse_curves": ("../cubic",)}, "Study.sparse_curves names '../cubic'; it must be the name of a gin file"),
        ({"budget": 0}, "Study.budget is 0"),
        ({"other_budgets": (1200,)}, "Study.other_budgets names 1200, which is Study.budget"),
        ({"confidence": 1.0}, "Study.confidence is 1.0; it must be a number of at least 0.5 and below 1"),
        ({"accuracy_tolerance": "x"}, "Study.accuracy_tolerance is 'x'"),
        ({"processes": 0}, "Study.processes is 0"),
    ],
)
def test_an_impossible_study_is_refused(settings, words):
    with pytest.raises(InputError, match=words):
        study(**settings)


@pytest.mark.parametrize("path", ["gin/digits/study.gin", "gin/digits/demo.gin", "gin/study.gin"])
def test_the_studies_of_the_gin_files_can_be_run(path):
    gin.parse_config_file(str(ROOT / path))
    paths = Study().paths()
    assert {each.claim for each in paths} >= {2, 3, 4}
