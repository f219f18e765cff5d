"""Real text to train on: where each file comes from, fetching it, and reading it.

    from course.data import tatoeba
    corpus = tatoeba.french_english()

A file is looked for in ``COURSE_DATA`` (a folder with one folder a data set), then in the cache, then
downloaded from the commit that the registry names. Whatever the way, its SHA-256 is checked.
"""

from course.data.download import DataError, DownloadError, WrongFile, fetch, path, read_text
from course.data.registry import DATASETS, Dataset, File

__all__ = [
    "DATASETS",
    "DataError",
    "Dataset",
    "DownloadError",
    "File",
    "WrongFile",
    "fetch",
    "path",
    "read_text",
]
