"""Exercises: the package's own functions to be rebuilt, with checks that name the mistake."""

from course.exercises.notebook import check, exercise, hint, lend, solution
from course.exercises.progress import progress

__all__ = ["check", "exercise", "hint", "lend", "progress", "solution"]
