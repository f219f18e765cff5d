"""The memory theatre: the machine in the browser is the package's, whole and with parts missing."""

import json

import pytest
import torch

from course.models.turing_machine import TuringConfig, TuringMachine
from course.studies.copying_bits import posed
from course.widgets import MemoryTheatre
from course.widgets.base import HERE
from course.widgets.memory_theatre import PARTS

BROKEN = [{}, {"shift": 40, "sharpening": 0}, {"strength": 0, "erasing": 25}, {"search": 0}]


def machine() -> TuringMachine:
    torch.manual_seed(3)
    model = TuringMachine(TuringConfig())
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(3.0)  # decided, as a trained one is
    return model.eval()


@pytest.mark.parametrize("parts", BROKEN)
def test_the_browsers_machine_is_the_packages(node, parts):
    widget = MemoryTheatre(machine(), **parts)
    states, logits = widget.run()
    weights = {name: w.flatten().tolist() for name, w in widget.machine.state_dict().items()}
    left = {name: parts.get(name, 100) / 100 for name in PARTS}
    code = f"""
import {{ readFileSync }} from "node:fs";
import {{ posed, run }} from "{(HERE / "memory_theatre.js").as_uri()}";
const {{ weights, sizes, bits, slots, start, left }} = JSON.parse(readFileSync(0));
console.log(JSON.stringify([posed(bits), run(weights, sizes, posed(bits), slots, start, left)]));
"""
    given = {"weights": weights, "sizes": widget.sizes, "bits": widget.bits, "slots": widget.slots,
             "start": widget.start_value, "left": left}  # fmt: skip
    inputs, found = json.loads(node("--input-type=module", "-e", code, input=json.dumps(given)))
    assert inputs == posed(torch.tensor(widget.bits)[None]).inputs[0].long().tolist()

    def same(values, expected):
        torch.testing.assert_close(torch.tensor(values), expected, rtol=1e-4, atol=1e-4)

    same(found["logits"], logits)
    same(found["read"], torch.stack([s.weights[0, 0] for s in states]))
    same(found["write"], torch.stack([s.weights[0, 1] for s in states]))
    same(found["memory"], torch.stack([s.memory[0] for s in states]))


def test_what_is_sent_is_the_machines_weights():
    widget = MemoryTheatre(machine())
    sent = torch.frombuffer(bytearray(widget.weights), dtype=torch.float32)
    for name, at, n in widget.places:
        assert torch.equal(sent[at : at + n], widget.machine.state_dict()[name].flatten())


def test_without_shift_and_search_a_head_stays_where_it_was():
    states, _ = MemoryTheatre(machine(), shift=0, search=0).run()
    write = torch.stack([s.weights[0, 1] for s in states])
    assert (write[:, 0] > 0.999).all()


def test_other_bits_are_refused_and_it_stands_still():
    with pytest.raises(ValueError, match="2 to 14 rows of 8"):
        MemoryTheatre(machine(), torch.zeros(3, 7))
    assert MemoryTheatre(machine(), torch.eye(8)[:3], moment=9).png().startswith(b"\x89PNG")
