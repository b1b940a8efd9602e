"""Protects: what a setting may be, and the line that refuses any other value."""

import pathlib
import re

import numpy as np
import pytest

from sparse_rigl_lands import checks
from sparse_rigl_lands.errors import InputError


def _refusal(check, value, *given, **limits):
    """What is said of a value, after the name of the setting."""
    with pytest.raises(InputError, match=r"^Recipe\.steps [^\n]*$") as refused:
        check("Recipe.steps", value, *given, **limits)
    return str(refused.value).removeprefix("Recipe.steps ")


@pytest.mark.parametrize("value", [1, 7, 2**63 - 1])
def test_whole_numbers(value):
    checks.whole_number("Recipe.steps", value, least=1)


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", None, True, [1], np.float64(1)])
def test_what_is_no_whole_number_is_refused(value):
    assert _refusal(checks.whole_number, value, least=1) == f"is {value!r}; it must be a whole number of at least 1"


def test_whole_numbers_have_64_bits():
    """Records with larger ones are refused where they are read again."""
    for held, not_held in ((2**63 - 1, 2**63), (-(2**63), -(2**63) - 1)):
        checks.whole_number("Recipe.steps", held)
        assert _refusal(checks.whole_number, not_held).endswith("; it must be a whole number that 64 bits hold")


def test_whole_numbers_have_a_range():
    checks.whole_number("Recipe.steps", 7, least=0, below=8)
    words = "is 8; it must be a whole number of at least 0 and below 8"
    assert _refusal(checks.whole_number, 8, least=0, below=8) == words


@pytest.mark.parametrize("value", [0, 0.0, 0.5, np.float64(0.5)])
def test_numbers(value):
    checks.number("Recipe.steps", value, least=0, below=1)


@pytest.mark.parametrize("value", [-0.1, 1, 1.0, float("nan"), "0.5", None, False, 1j])
def test_what_is_no_number_is_refused(value):
    words = f"is {value!r}; it must be a number of at least 0 and below 1"
    assert _refusal(checks.number, value, least=0, below=1) == words


@pytest.mark.parametrize("value", [0, float("inf"), float("nan"), 10**400, True])
def test_numbers_are_finite(value):
    """An integer that no float holds is not: TensorFlow cannot take it."""
    checks.number("Recipe.steps", 1.7e308, above=0)
    assert _refusal(checks.number, value, above=0) == f"is {value!r}; it must be a finite number above 0"


def test_paths():
    checks.path("Recipe.steps", "runs/a")
    checks.path("Recipe.steps", pathlib.Path("runs/a"))
    checks.path("Recipe.steps", None, others=(None,))
    assert _refusal(checks.path, 3) == "is 3; it must be a text in quotes"
    assert _refusal(checks.path, "", others=(None,)) == "is ''; it must be None or a text in quotes"


def test_other_values_are_told_with_the_range():
    for value in (None, 3):
        checks.whole_number("Recipe.steps", value, least=1, others=(None,))
    words = "is 0; it must be 'all', 'until_decided' or a whole number of at least 1"
    assert _refusal(checks.whole_number, 0, least=1, others=("all", "until_decided")) == words


@pytest.mark.parametrize("value", [False, 0.0])
def test_what_only_equals_another_value_is_not_it(value):
    checks.whole_number("Recipe.steps", 0, least=2, others=(0,))
    assert _refusal(checks.whole_number, value, least=2, others=(0,)).startswith(f"is {value!r}; it must be 0 or")


@pytest.mark.parametrize("value", ["False", 0, 1, None, np.True_])
def test_flags(value):
    checks.flag("Recipe.steps", False)
    assert _refusal(checks.flag, value) == f"is {value!r}; it must be True or False"


@pytest.mark.parametrize("value", [2012, "", b"a", None])
def test_texts(value):
    checks.text("Recipe.steps", "digits")
    assert _refusal(checks.text, value) == f"is {value!r}; it must be a text in quotes"


@pytest.mark.parametrize("value", ["c", "", None, ["a"], {}])
def test_choices(value):
    checks.choice("Recipe.steps", "a", ("a", "b"))
    assert _refusal(checks.choice, value, ("a", "b")) == f"is {value!r}; known are a, b"


@pytest.mark.parametrize("value", ["ab", 3, None, {}])
def test_lists(value):
    for listed in ([], (1, 2), range(3)):
        checks.listed("Recipe.steps", listed)
        checks.each("Recipe.steps", listed, checks.whole_number, least=0)
    assert _refusal(checks.listed, value) == f"is {value!r}; it must be a list"
    assert _refusal(checks.each, value, checks.whole_number) == f"is {value!r}; it must be a list"


def test_an_element_of_a_list_is_named():
    words = "names -1; it must be a whole number of at least 0"
    assert _refusal(checks.each, (3, -1), checks.whole_number, least=0) == words
    assert _refusal(checks.each, ["a", 3], checks.text) == "names 3; it must be a text in quotes"
    assert _refusal(checks.each, ["a", "c"], checks.choice, known=("a", "b")) == "names 'c'; known are a, b"


def test_dictionaries():
    checks.mapping("Recipe.steps", {})
    checks.mapping("Recipe.steps", None, others=(None,))
    assert _refusal(checks.mapping, "ab") == "is 'ab'; it must be a dictionary"


def test_functions():
    checks.function("Recipe.steps", len, "@len")
    assert _refusal(checks.function, "len", "@len") == "is 'len'; it must be a function: @len"


def test_kinds():
    """What was not called is told from what it would make."""
    checks.kind("Recipe.steps", {}, dict, "@dict()")
    checks.kind("Recipe.steps", None, dict, "@dict()", others=(None,))
    for value in (dict, None, 3):
        words = f"is {value!r}, not a dict: in a gin file, @dict(), with its parentheses"
        assert _refusal(checks.kind, value, dict, "@dict()") == words
    assert re.search("not an Exception:", _refusal(checks.kind, 3, Exception, "@Exception()"))
