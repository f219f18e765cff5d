"""What holds for every test of the project.

Chance: what a test draws without a generator of its own is drawn from one seed that is set before each, so
it gives the same whenever and beside whatever it runs; ``COURSE_TEST_SEED=1`` draws others. Where what was
drawn is counted or averaged, the test accepts within five standard deviations, a false alarm in less than one
of a million (in a few tests whose draws are costly within three or four, with a seed of their own that has
been seen to pass). Hypothesis draws anew each time in development, and in CI the same.
"""

import os
import random
import re
import signal
import sys

import pytest
from hypothesis import settings
from seconds import SECONDS, WITHOUT_A_NUMBER

# What runs in the background ignores Ctrl-C, and so would every program that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is slow; that is no fault of what is tested. In CI (.ci/run) the same examples every time.
settings.register_profile("development", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "development"))

SEED = int(os.environ.get("COURSE_TEST_SEED", "0"))  # another one: is a test right, or lucky?


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Every test, its fixtures included, draws the same whichever tests ran before it in this process."""
    random.seed(SEED)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(SEED)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where a browser is promised (COURSE_REQUIRE_BROWSER=1, as in CI), a skipped browser test fails."""
    report = yield
    promised = os.environ.get("COURSE_REQUIRE_BROWSER") == "1"
    if promised and report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("browser"):
        report.outcome, (_, _, reason) = "failed", report.longrepr
        report.longrepr = f"COURSE_REQUIRE_BROWSER=1, but this was skipped: {reason}"
    return report


# ---- which worker runs what, and when ------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The longest groups start first, the short rest fills the gaps at the end."""
    groups = {item: group_of(item.nodeid) for item in items}
    first = {group: place for place, group in reversed([*enumerate(groups.values())])}
    items.sort(key=lambda item: (-seconds_of(groups[item]), first[groups[item]]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests that share what is dear go to one worker.

    (xdist's own marks for that, ``xdist_group``, do nothing and say nothing under pytest 9.2.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class Grouped(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)

    return Grouped(config, log)


WORKERS: dict[str, set[str]] = {}  # of each group, those that ran its tests


def pytest_runtest_logreport(report):
    if hasattr(report, "node"):  # in the process that shares the work out
        WORKERS.setdefault(group_of(report.nodeid), set()).add(report.node.gateway.id)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Once the groups were parted and every notebook ran twice: that fails from now on."""
    parted = sorted(group for group, workers in WORKERS.items() if len(workers) > 1)
    if parted:
        print(f"\nparted among workers: {', '.join(parted)}", file=sys.stderr)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def group_of(nodeid: str) -> str:
    """A notebook's live tests, its tests under nbval, or the tests of a file."""
    path, _, name = nodeid.partition("::")
    number = re.search(r"\[(?:.+-)?(\d\d)(?:-.+)?\]$", name)
    stem = path.rpartition("/")[2].removesuffix(".py")
    return f"{stem}-{number[1]}" if number and stem in WITHOUT_A_NUMBER else stem


def seconds_of(group: str) -> float:
    guess = WITHOUT_A_NUMBER.get(re.sub(r"-\d\d$", "", group), 0)
    return SECONDS.get(group, guess)


# ---- kernels -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def quick_kernels(tmp_path_factory):
    """From here on, the kernels that this worker's tests start are there at once."""
    from quick_kernels import quick_kernels

    with quick_kernels(tmp_path_factory.mktemp("kernels")):
        yield
