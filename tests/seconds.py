"""About how many seconds the long groups of tests take (see ``conftest.py``): the longest are begun first.

A group that is not here is begun after them, a notebook that is not here among the first. Nothing depends on
it but how well two workers share the work; measured with ``--durations=0`` on two cores.
"""

SECONDS = {
    "test_run_all-11": 62,
    "test_run_all-10": 50,
    "test_explorer_seen": 50,
    "test_bootstrap": 70,
    "test_processes": 40,
    "test_pytest_plugin": 40,
    "test_widgets_05": 25,
    "test_widgets_09": 25,
    "test_run_all-00": 15,
    "test_run_all-03": 20,
    "test_notebooks-00": 10,
    "test_notebooks-03": 12,
    "test_notebooks-04": 14,
    "test_notebooks-05": 14,
    "test_bank": 20,
    "test_widgets_08": 15,
    "test_bertviz_seen": 13,
    "test_plots": 12,
    "test_trainer": 12,
}
WITHOUT_A_NUMBER = {"test_run_all": 30, "test_notebooks": 18}  # a notebook's guess until it is measured
