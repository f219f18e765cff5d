"""The checkpoints that the course ships: one folder each, with the model, its tokenizer and its card."""

import re
from pathlib import Path

SHIPPED = Path(__file__).parent


def find(name: str | Path) -> Path:
    """The folder of a checkpoint: one of yours, by its path, or a shipped one, by its name.

    Raises:
        FileNotFoundError: if there is neither.
    """
    _check_name(name)
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
    _check_name(name)
    if re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", str(name)) and not Path(name).exists():
        from transformers.utils import cached_file  # seconds to import, and only the hub needs it

        return Path(cached_file(str(name), file))
    found = find(name) / file
    if not found.is_file():
        raise FileNotFoundError(f"{found.parent} has no {file}; {_instead(found)}")
    return found


def _instead(missing: Path) -> str:
    """What a folder has in place of a file, and what to do."""
    if (missing.parent / f"{missing.name}.index.json").is_file():
        return "its weights are in several files; save_pretrained(folder, max_shard_size='100GB') writes one"
    if any(missing.parent.glob("*.bin")) or any(missing.parent.glob("*.pt")):
        return "its pickle (.bin, .pt) could run code and is never read; save_pretrained writes safetensors"
    return "save_pretrained of transformers writes it"


def _check_name(name: str | Path) -> None:
    if not isinstance(name, (str, Path)):
        raise TypeError(f"a checkpoint is a folder or a name; got {name!r}")
    if not str(name).strip() or "\0" in str(name) or len(str(name)) > 1000:
        raise FileNotFoundError(f"no checkpoint {str(name)[:60]!r}: give a folder, or the name of one")
