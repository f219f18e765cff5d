"""The checkpoints that the course ships: one folder each, with the model, its tokenizer and its card."""

import re
from pathlib import Path

SHIPPED = Path(__file__).parent


def find(name: str | Path) -> Path:
    """The folder of a checkpoint: one of yours, by its path, or a shipped one, by its name.

    Raises:
        FileNotFoundError: if there is neither.
    """
    for folder in (Path(name), SHIPPED / name):
        if (folder / "config.json").is_file():
            return folder
    shipped = ", ".join(sorted(file.parent.name for file in SHIPPED.glob("*/config.json"))) or "none yet"
    raise FileNotFoundError(f"no checkpoint {str(name)!r}: no folder with a config.json. Shipped: {shipped}")


def find_file(name: str | Path, file: str) -> Path:
    """A file of a checkpoint: in a folder, among those shipped, or from the hub, for a name "owner/model".

    Raises:
        OSError: if there is no such checkpoint or file, or it cannot be downloaded now.
    """
    if re.fullmatch(r"[\w.-]+/[\w.-]+", str(name)) and not Path(name).exists():
        from transformers.utils import cached_file  # seconds to import, and only the hub needs it

        return Path(cached_file(str(name), file))
    found = find(name) / file
    if not found.is_file():
        raise FileNotFoundError(f"{found.parent} has no {file}; save_pretrained of transformers writes it")
    return found
