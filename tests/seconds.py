"""About how many seconds the long groups of tests take (see ``conftest.py``): the longest are begun first.

A group that is not here is begun after them, a notebook that is not here among the first. Nothing depends on
it but how well two workers share the work; measured with ``--durations=0`` on two cores.
"""

SECONDS = {
    "test_run_all-11": 100,
    "test_run_all-10": 80,
    "test_explorer_seen": 75,
    "test_bootstrap": 70,
    "test_pytest_plugin": 65,
    "test_bank": 60,
    "test_run_all-01": 50,
    "test_run_all-05": 47,
    "test_processes": 40,
    "test_judge": 40,
    "test_run_all-09": 35,
    "test_run_all-02": 32,
    "test_run_all-08": 28,
    "test_run_all-04": 28,
    "test_notebooks-01": 27,
    "test_notebooks-11": 26,
    "test_cells": 25,
    "test_widgets_05": 25,
    "test_widgets_09": 25,
    "test_notebooks-10": 20,
    "test_notebooks-09": 18,
    "test_notebooks-02": 17,
    "test_notebooks-05": 16,
    "test_run_all-03": 16,
    "test_widgets_08": 15,
    "test_bertviz_seen": 13,
    "test_grading": 13,
    "test_notebooks-08": 12,
    "test_plots": 12,
    "test_trainer": 12,
    "test_notebooks-04": 10,
    "test_notebooks-03": 8,
    "test_run_all-00": 7,
}
WITHOUT_A_NUMBER = {"test_run_all": 40, "test_notebooks": 18}  # a notebook's guess until it is measured
