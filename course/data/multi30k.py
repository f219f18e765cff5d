"""Multi30k's image captions in English, German and French: a benchmark, not for shipping models.

Its authors provide it for research and education, not for commercial use (Elliott et al. 2016).
"""

from course.data.download import read_text
from course.text.plain import plain_text

SPLITS = {
    "train": "train",
    "validation": "val",
    "test2016": "test_2016_flickr",
    "test2017": "test_2017_flickr",
}


def captions(split: str, language: str) -> list[str]:
    """One caption a line, in the same order for every language.

    Args:
        split: "train" (29,000), "validation" (1,014), "test2016" or "test2017" (1,000 each).
        language: "en", "de" or "fr".

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(map(repr, SPLITS))}; got {split!r}")
    text = read_text("multi30k", f"{SPLITS[split]}.{language}.gz")
    return [plain_text(line) for line in text.strip("\n").split("\n")]
