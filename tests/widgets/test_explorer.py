"""The explorer's Python side: what travels to the browser, its stills, its words, its files."""

import base64
import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from course.masks import causal_mask
from course.models.attention_pass import AttentionPass
from course.widgets import compare, explore
from course.widgets.packing import FLOAT16_UP_TO, encode, pack

TOKENS = ["我", "love", "<b>", "🙂"]


def softmaxed(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.softmax(3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed)), -1)


def whole_pass(layers=2, heads=3, n=4, **fields) -> AttentionPass:
    query, key = torch.randn(2, layers, heads, n, 5)
    return AttentionPass(
        TOKENS[:n],
        softmaxed(layers, heads, n, n),
        query=query,
        key=key,
        mask=causal_mask(n)[None, None],
        **fields,
    )


def unpacked(place: dict, buffer: bytes) -> np.ndarray:
    count = int(np.prod(place["shape"]))
    return np.frombuffer(buffer, place["dtype"], count, place["start"]).reshape(place["shape"])


# ---- what travels ------------------------------------------------------------------------------


def test_every_array_comes_out_of_the_buffer_as_it_went_in():
    passes = {"first": whole_pass(), "second": whole_pass(layers=1, n=3)}
    headings, buffer = pack(passes)
    for heading, p in zip(headings, passes.values(), strict=True):
        found = {name: unpacked(place, buffer) for name, place in heading["arrays"].items()}
        assert set(found) == {"weights", "mask", "query", "key"}
        np.testing.assert_array_equal(found["weights"], p.weights.half())
        np.testing.assert_array_equal(found["mask"].astype(bool), p.mask)
        np.testing.assert_array_equal(found["query"], p.query)
        np.testing.assert_array_equal(found["key"], p.key)
    assert all(place["start"] % 8 == 0 for heading in headings for place in heading["arrays"].values())


@given(st.floats(0, 1, width=32))
def test_a_float16_is_within_a_twentieth_of_a_percent(weight):
    sent = encode(torch.tensor([[[[weight]]]]))["weights"].item()
    assert abs(sent - weight) <= max(0.0005 * weight, 3e-8)


def test_many_weights_travel_as_bytes_that_keep_small_weights():
    n = int((FLOAT16_UP_TO / 4) ** 0.5) + 1
    weights = softmaxed(2, 2, n, n)
    weights[0, 0, 0] = 0  # a row that may attend nowhere
    sent = encode(weights)
    assert {name: array.dtype.name for name, array in sent.items()} == {
        "weights": "uint8",
        "row_max": "float32",
    }
    most, weights = sent["row_max"][..., None], weights.numpy()
    seen = most * (sent["weights"] / 255.0) ** 2
    assert (
        np.abs(seen - weights) <= np.sqrt(weights * most) / 255 + 4e-6 * most
    ).all()  # as the docstring says
    assert (np.abs(seen - weights) <= 0.004 * most).all()
    np.testing.assert_array_equal(seen.max(-1), most[..., 0])  # a row's largest weight is exact
    assert (seen[weights > 4e-6 * most] > 0).all()


def test_the_precision_can_be_chosen():
    few = softmaxed(1, 1, 3, 3)
    assert encode(few)["weights"].dtype == encode(few, "float16")["weights"].dtype == np.float16
    assert encode(few, "byte")["weights"].dtype == np.uint8
    with pytest.raises(ValueError, match="'double'"):
        explore(few, list("abc"), precision="double")


def test_weights_travel_as_a_binary_buffer_and_nothing_else_is_large():
    n = 128
    state = explore(softmaxed(12, 12, n, n), [f"token{i}" for i in range(n)]).get_state()
    assert isinstance(state["buffer"], (bytes, memoryview))
    assert len(state["buffer"]) == 12 * 12 * n * (n + 4) <= 2_500_000
    rest = {name: value for name, value in state.items() if name not in ("buffer", "_esm", "_css")}
    assert len(json.dumps(rest, default=str)) < 10_000


def test_half_a_surrogate_pair_becomes_a_replacement_character():
    headings, _ = pack({"": AttentionPass(["\ud83d", "🙂"], torch.eye(2)[None, None])})
    assert headings[0]["rows"] == ["\ufffd", "🙂"]
    json.dumps(headings, ensure_ascii=False).encode()


# ---- choices -----------------------------------------------------------------------------------


def test_a_single_head_opens_as_a_heat_map_several_as_an_overview():
    assert explore(softmaxed(4, 4), TOKENS).view == "heatmap"
    assert explore(softmaxed(2, 4, 4), TOKENS).view == "overview"
    assert explore(softmaxed(2, 4, 4), TOKENS, view="lines").view == "lines"


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"head": 3}, "head=3: there are 3, so 0 to 2"),
        ({"layer": 2}, "layer=2: there are 2"),
        ({"head": -1}, "-1"),
        ({"layer": "median"}, "median"),
        ({"view": "pie"}, "pie"),
        ({"layer": True}, "True"),
    ],
)
def test_a_choice_that_does_not_exist_is_named(choice, named):
    with pytest.raises(Exception, match=named):
        explore(softmaxed(2, 3, 4, 4), TOKENS, **choice)


def test_python_may_choose_later_and_is_held_to_the_same():
    widget = explore(softmaxed(2, 3, 4, 4), TOKENS)
    widget.head, widget.layer = 2, "mean"
    with pytest.raises(ValueError, match="head=7"):
        widget.head = 7
    with pytest.raises(ValueError, match="query=4: there are 4 tokens, so 0 to 3"):
        widget.query = 4


def test_compare_takes_two():
    with pytest.raises(ValueError, match="got 1"):
        compare(only=whole_pass())
    with pytest.raises(TypeError, match=r"compare\(before=as_pass\(weights, tokens\)"):
        compare(before=softmaxed(2, 2), after=whole_pass())
    assert [p["name"] for p in compare(before=whole_pass(), after=whole_pass()).passes] == ["before", "after"]


@pytest.mark.parametrize("head", [1, "mean", "max"])
@pytest.mark.parametrize("layer", [1, "mean", "max"])
def test_a_layer_or_a_head_is_one_of_them_or_all_together(layer, head):
    weights = softmaxed(2, 3, 4, 4)
    together = {1: lambda x, d: x.select(d, 1), "mean": torch.mean, "max": torch.amax}
    expected = together[layer](together[head](weights, 1), 0)
    _, seen, _ = explore(weights, TOKENS, layer=layer, head=head).chosen()
    torch.testing.assert_close(seen, expected, rtol=0, atol=1e-7)


def test_together_a_cell_is_masked_where_every_head_masks_it():
    mask = torch.zeros(2, 3, 4, 4, dtype=torch.bool)
    mask[1, 2, 0, 0] = mask[0, 0, 1, 1] = True
    widget = explore(torch.zeros(2, 3, 4, 4), TOKENS, mask=mask, layer="mean", head="mean")
    assert torch.equal(widget.chosen()[2], mask.any(0).any(0))


# ---- stills, words, files ----------------------------------------------------------------------


def test_the_still_shows_what_the_explorer_shows():
    p = whole_pass()
    widget = explore(p, view="heatmap", layer=1, head=2)
    axes = widget.still().axes[0]
    image = np.ma.masked_invalid(axes.images[0].get_array()).filled(0)
    np.testing.assert_allclose(image, p.weights[1, 2], atol=1e-7)
    assert axes.get_title() == "layer 1, head 2"
    assert len(explore(p).still().axes[0].get_yticks()) == 2  # the overview: one row a layer


def test_the_still_of_lines_draws_the_links_that_the_explorer_draws():
    weights = torch.tensor([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0], [0.3, 0.3, 0.4]])
    widget = explore(weights, list("abc"), view="lines")

    def drawn() -> set[tuple[int, int]]:
        (links,) = widget.still().axes[0].collections
        return {(int(a[1]), int(b[1])) for a, b in links.get_segments()}

    assert drawn() == {(q, k) for q in range(3) for k in range(3)} - {(1, 0), (1, 2)}
    widget.top = 1
    assert drawn() == {(0, 0), (1, 1), (2, 2)}
    widget.top, widget.threshold = 0, 0.3
    assert drawn() == {(0, 0), (1, 1), (2, 0), (2, 1), (2, 2)}
    widget.query = 2
    assert drawn() == {(2, 0), (2, 1), (2, 2)}
    widget.query, widget.key = None, 0
    assert drawn() == {(0, 0), (2, 0)}
    axes, right = widget.still().axes
    names = [[text.get_text() for text in side.get_yticklabels()] for side in (axes, right)]
    assert names == [list("abc")] * 2


@pytest.mark.parametrize("direction", ["to", "from"])
def test_the_still_of_text_tints_each_token_by_its_weight(direction):
    weights = softmaxed(4, 4)
    widget = explore(weights, TOKENS, view="text")
    widget.query, widget.direction = 1, direction
    axes = widget.still().axes[0]
    assert [text.get_text() for text in axes.texts] == ["我", "love", "<b>", "\ufffd"]  # no font draws 🙂
    light = [sum(patch.get_facecolor()[:3]) for patch in axes.patches]
    values = weights[1] if direction == "to" else weights[:, 1]
    assert np.argsort(light)[::-1].tolist() == values.argsort().tolist()
    assert [patch.get_linewidth() > 0 for patch in axes.patches] == [False, True, False, False]


def test_the_still_of_text_is_a_heat_map_where_there_is_nothing_to_tint():
    widget = explore(softmaxed(4, 4), TOKENS, view="text")
    assert widget.still().axes[0].images
    cross = explore(softmaxed(2, 4), ["un", "chat"], TOKENS, view="text")
    cross.query = 1
    assert cross.still().axes[0].images


@pytest.mark.parametrize("view", ["heatmap", "lines"])
def test_the_still_of_a_difference_is_the_difference(view):
    before, after = whole_pass(), AttentionPass(TOKENS, softmaxed(2, 3, 4, 4, seed=1))
    widget = compare(before=before, after=after)
    widget.show, widget.view = "difference", view
    axes, change = widget.still().axes[0], after.weights[0, 0] - before.weights[0, 0]
    assert axes.get_title() == "after − before: layer 0, head 0"
    if view == "heatmap":
        np.testing.assert_allclose(axes.images[0].get_array(), change, atol=1e-7)
        low, high = axes.images[0].get_clim()
        assert low == -high == -change.abs().max()
    else:
        colours = axes.collections[0].get_colors()
        assert len({tuple(c[:3]) for c in colours.tolist()}) == 2


def test_the_words_name_the_strongest_links():
    weights = torch.zeros(1, 1, 4, 4)
    weights[0, 0, 2, 3], weights[0, 0, 0, 1] = 0.75, 0.5
    words = explore(weights, TOKENS).describe()
    assert "1 layers × 1 heads, 4 queries × 4 keys" in words
    assert words.index("“<b>” → “🙂” 0.75") < words.index("“我” → “love” 0.50")


def test_of_two_passes_the_still_says_which_it_shows_and_the_words_tell_of_both():
    widget = compare(before=whole_pass(), after=whole_pass(layers=1))
    assert widget.still().axes[0].get_title() == "before: layer 0, head 0"
    widget.show = "second"
    assert widget.still().axes[0].get_title() == "after: layer 0, head 0"
    before, after = widget.describe().splitlines()
    assert before.startswith("before: Attention of 2 layers") and after.startswith("after: Attention of 1")


def test_a_display_carries_the_widget_the_picture_and_the_words():
    widget = explore(whole_pass())
    data, metadata = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == metadata["image/png"]["alt"] == widget.describe()


def test_save_writes_png_or_svg_and_says_so_of_anything_else(tmp_path):
    widget = explore(whole_pass(), view="heatmap")
    assert Image.open(widget.save(tmp_path / "a.png")).width > 200
    assert Image.open(widget.save(tmp_path / "b.PNG")).width > 200
    assert ElementTree.parse(widget.save(tmp_path / "a.svg")).getroot().tag.endswith("svg")
    with pytest.raises(ValueError, match=r"a.jpeg.*\.png or \.svg"):
        widget.save(tmp_path / "a.jpeg")


def test_the_page_holds_everything_and_tokens_stay_text(tmp_path):
    evil = ["</script><script>alert(1)</script>", "<!--<script>", "&amp;", "\u2028"]
    widget = explore(softmaxed(4, 4), evil)
    text = widget.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(re.findall("<script", text)) == len(re.findall("</script", text)) == 2
    assert not re.search(r"(?:src|href)\s*=|@import|url\(", text.split('id="payload"')[0])
    payload = json.loads(re.search(r'id="payload">(.*?)</script>', text, re.DOTALL)[1])
    assert payload["state"]["passes"][0]["rows"] == evil
    assert base64.b64decode(payload["buffers"]["buffer"]) == widget.buffer


def test_colours_are_stretched_unless_asked_for_the_whole_range():
    assert explore(torch.eye(2)[None, None], ["a", "b"]).full_scale is False


def test_padding_is_hidden_in_the_still_and_in_words():
    widget = explore(softmaxed(4, 4), TOKENS, attention_mask=[0, 1, 1, 1])
    assert widget.passes[0]["padding"] == {"rows": [0], "columns": [0]}
    assert "4 queries × 4 keys" in widget.describe()
    widget.hide_padding = True
    assert "3 queries × 3 keys" in widget.describe() and "我" not in widget.describe()
    assert np.asarray(widget.still().axes[0].images[0].get_array()).shape == (3, 3)
    assert explore(softmaxed(4, 4), TOKENS).passes[0]["padding"] is None


def test_half_a_surrogate_pair_can_be_printed_saved_and_shown(tmp_path):
    widget = compare(
        **{"\ud800": AttentionPass(["\ud800", "b"], torch.eye(2)[None, None]), "after": whole_pass()}
    )
    widget.describe().encode("utf-8")
    widget.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert widget.png().startswith(b"\x89PNG")


def test_a_token_beyond_the_end_of_a_shorter_text_is_none():
    widget = explore(whole_pass(), view="text")
    widget.query = 3
    widget.show_passes({"": whole_pass(n=3)})
    assert widget.still().axes[0].images  # nothing is tinted


def test_everything_is_imported_by_a_star():
    names: dict = {}
    exec("from course.widgets import *", names)
    assert {"explore", "compare", "scrub", "Walk"} <= set(names)
