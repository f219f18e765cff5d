"""Can everything be read? Measured in the page: contrast, overlaps, what sticks out of the frame."""

from pathlib import Path

from eventually import eventually

_FAULTS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def faults(page) -> list[str]:
    """What cannot be read in the page's widget."""
    return page.locator(".cw").evaluate(_FAULTS)


def assert_legible(page, widths: tuple[int, ...] = (1300, 820)) -> None:
    """In a window of each of these widths, everything in the page's widget can be read."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("width => innerWidth === width", arg=width)
        eventually(lambda: faults(page), [])
