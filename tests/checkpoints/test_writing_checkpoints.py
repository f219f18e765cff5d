"""What ``write_checkpoint`` writes is what the readers read."""

import pytest
import torch

from course.checkpoints.reading import read_settings, read_weights
from course.checkpoints.writing import write_checkpoint

SETTINGS = {"d": 3, "words": ["chat", "猫"]}
WEIGHTS = {"a.weight": torch.randn(2, 3), "b": torch.arange(4.0)}


@pytest.mark.parametrize("dtype", [None, torch.float16])
@pytest.mark.parametrize("indent", [None, 2])
def test_it_is_read_as_it_was_given(tmp_path, dtype, indent):
    folder = write_checkpoint(tmp_path / "new" / "model", SETTINGS, WEIGHTS, dtype, indent=indent)
    assert read_settings(folder / "config.json") == SETTINGS
    assert (folder / "config.json").read_text(encoding="utf-8").count("\n") == (1 if indent is None else 7)
    found = read_weights(folder / "model.safetensors")
    assert found.keys() == WEIGHTS.keys()
    for name, weight in WEIGHTS.items():
        assert torch.equal(found[name].float(), weight.to(dtype or weight.dtype).float())
