"""A file of tests as a target."""

load("@rules_python//python:defs.bzl", "py_test")

def pytest_test(name, deps = [], **kwargs):
    """Has pytest run a file of tests, with what all tests share.

    Args:
      name: of the file, without its suffix.
      deps: what it imports, besides what is shared.
      **kwargs: of py_test.
    """
    py_test(
        name = name,
        srcs = [
            "run_pytest.py",
            name + ".py",
        ],
        args = ["$(rootpath %s.py)" % name],
        legacy_create_init = 0,
        main = "run_pytest.py",
        deps = deps + [":shared"],
        **kwargs
    )
