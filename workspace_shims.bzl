"""Rules for Python without a network, for Bazel before MODULE.bazel.

Even for its native rules, old Bazel fetches rules_cc, rules_java and remote_coverage_tools. Here they are small
repositories that hand on the native rules, and so is rules_python: BUILD files load its rules in old Bazel as in new.
"""

_NATIVE_RULES = {
    "rules_cc": ("cc", ["cc_binary", "cc_import", "cc_library", "cc_proto_library", "cc_test", "cc_toolchain", "cc_toolchain_suite"]),
    "rules_java": ("java", ["java_binary", "java_import", "java_library", "java_proto_library", "java_runtime", "java_test", "java_toolchain"]),
    "rules_python": ("python", ["py_binary", "py_library", "py_test"]),
}

# Bazel names them with every test, and runs them for `bazel coverage`.
_COVERAGE_TOOLS = ["coverage_report_generator", "lcov_merger"]

def _written_repository_impl(ctx):
    for path, content in ctx.attr.files.items():
        ctx.file(path, content, executable = path.endswith(".sh"))

_written_repository = repository_rule(
    implementation = _written_repository_impl,
    attrs = {"files": attr.string_dict()},
)

def workspace_shims():
    """Declares the repositories that old Bazel would fetch."""
    for name, (package, rules) in _NATIVE_RULES.items():
        _written_repository(
            name = name,
            files = {
                "BUILD": "",
                "WORKSPACE": "",
                package + "/BUILD": "",
                package + "/defs.bzl": "".join(["{0} = native.{0}\n".format(rule) for rule in rules]),
            },
        )
    tool = "sh_binary(name = '{}', srcs = ['unavailable.sh'], visibility = ['//visibility:public'])\n"
    _written_repository(
        name = "remote_coverage_tools",
        files = {
            "BUILD": "".join([tool.format(name) for name in _COVERAGE_TOOLS]),
            "WORKSPACE": "",
            "unavailable.sh": "#!/bin/sh\necho 'bazel coverage is not set up' >&2\nexit 1\n",
        },
    )
