"""The banks: exercises and their known mistakes, one module a notebook (``c03`` for notebook 03).

Importing this package makes every bank known to the workbook; the banks themselves, which need torch, are
imported when first asked for. Also a pytest plugin, so that pytest knows them.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pkgutil import iter_modules

from course.workbook.record import register

for _bank in iter_modules(__path__):
    if _bank.name[0] == "c" and _bank.name[1:].isdigit():
        register(int(_bank.name[1:]), partial(import_module, f"{__name__}.{_bank.name}"))
