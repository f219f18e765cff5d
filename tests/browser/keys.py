"""Keys, as a learner presses them."""


def press(page, key: str, times: int = 1) -> None:
    """Wherever the focus is; comes back when what follows is drawn."""
    for _ in range(times):
        page.keyboard.press(key)
    page.evaluate("new Promise(requestAnimationFrame)")  # a widget draws once a frame


def press_in(page, label: str, key: str, times: int = 1) -> None:
    """In the control of that label."""
    page.get_by_label(label, exact=True).focus()
    for _ in range(times):
        page.keyboard.press(key)
