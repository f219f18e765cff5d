"""What holds for every test of the project."""

import os
import signal

import pytest

# What runs in the background ignores Ctrl-C, and so would every program that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where a browser is promised (COURSE_REQUIRE_BROWSER=1, as in CI), a skipped browser test fails."""
    report = yield
    promised = os.environ.get("COURSE_REQUIRE_BROWSER") == "1"
    if promised and report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("browser"):
        report.outcome, (_, _, reason) = "failed", report.longrepr
        report.longrepr = f"COURSE_REQUIRE_BROWSER=1, but this was skipped: {reason}"
    return report
