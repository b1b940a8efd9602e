"""Protects: a study's settings are refused by name, before anything starts."""

import dataclasses

import pytest

from sparse_rigl_lands.errors import InputError
from sparse_rigl_lands.studies import settings


@dataclasses.dataclass
class _Study:
    names: object = ("a", "b")


@pytest.mark.parametrize(
    ("names", "words"), [("ab", "names is 'ab'; it must be a list"), (("a", "b", "a"), "names names something twice")]
)
def test_what_is_no_list_of_different_things_is_refused(names, words):
    settings.check_lists(_Study(), "names")
    with pytest.raises(InputError, match=rf"^_Study\.{words}"):
        settings.check_lists(_Study(names=names), "names")


@pytest.mark.parametrize(("text", "number"), [("", 7), ("a.b = 3\n", 3), ("# a.b = 3\nc/a.b = 0", 0), ("xa.b = 3", 7)])
def test_a_whole_number_of_a_configuration(text, number):
    assert settings.whole_number(text, "a.b", 7) == number


@pytest.mark.parametrize("text", ["a.b = %STEPS", "a.b = 2.5", "a.b = 3\nc/a.b = 4"])
def test_what_is_no_whole_number_is_refused(text):
    with pytest.raises(InputError, match="a.b is .*; a study must find a whole number there"):
        settings.whole_number(text, "a.b", 7)
