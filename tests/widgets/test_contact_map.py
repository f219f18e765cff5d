"""The map of contacts: what it says is what the studies compute, and the browser says the same."""

import pytest
import torch
import traitlets

from course.data.relatives import LETTERS, Family
from course.studies.contacts import contact_precision, contacts, far_pairs
from course.widgets import ContactMap


def made() -> ContactMap:
    generator = torch.Generator().manual_seed(0)
    letters = torch.randint(21, (70, 30), generator=generator)
    letters[:, 20] = letters[:, 4]
    steps = torch.randn(30, 3, generator=generator)
    scores = torch.rand(30, 30, generator=generator)
    return ContactMap(
        Family(letters, 2.5 * steps.cumsum(0)), {"rounded": (4 * scores).round(), "<b>other</b>": scores.mT}
    )


def test_it_counts_as_the_studies_do():
    widget = made()
    touching = contacts(widget.family.positions)
    for top in (1, 7, 30, 60):
        widget.top = top
        scores = torch.zeros(30, 30)
        scores[tuple(far_pairs(30))] = widget.by_method["rounded"]
        assert widget.facts()["hits"] / top == pytest.approx(contact_precision(scores, touching, top))


def test_two_columns_that_copy_each_other_are_seen_more_often_than_expected():
    widget = made()
    widget.i, widget.j = 4, 20
    for letters, seen, expected in widget.counts()[:5]:
        assert letters[0] == letters[1] and seen > 5 * expected
    assert sum(seen for _, seen, _ in widget.counts()) <= 70


def test_the_browser_says_the_same(call):
    widget = made()
    apart, n = widget.apart.tolist(), 30
    pairs = far_pairs(n).T.tolist()
    assert call("contact_map", "pairsOf", [[n, 6]]) == [pairs]
    assert call("contact_map", "pairNumber", [[n, 6, i, j] for i, j in pairs[::7]]) == list(
        range(0, len(pairs), 7)
    )
    assert call("contact_map", "pairNumber", [[n, 6, 3, 8]]) == [-1]
    for method in widget.methods:
        widget.method = method
        (order,) = call("contact_map", "ranked", [[widget.by_method[method].tolist()]])
        assert order == widget.order().tolist()
        tops = [1, 8, 25, 60]
        for top, found in zip(
            tops, call("contact_map", "precision", [[order, apart, top, 8] for top in tops]), strict=True
        ):
            widget.top = top
            assert widget.facts() == {"method": method, "top": top} | found
    widget.i, widget.j = 4, 20
    columns = [widget.family.letters[:, c].tolist() for c in (4, 20)]
    (found,) = call("contact_map", "counts", [[*columns, widget.weights.tolist(), LETTERS, 8]])
    for (letters, seen, expected), ours in zip(found, widget.counts(), strict=True):
        assert letters == ours[0] and (seen, expected) == pytest.approx(ours[1:], abs=1e-4)


def test_neighbours_in_the_chain_do_not_count_and_are_said_not_to():
    widget = made()
    widget.i, widget.j = 3, 5
    assert "Places 4 and 6 are neighbours in the chain, fewer than 6 apart" in widget.describe()


def test_what_it_does_not_know_is_refused():
    with pytest.raises(traitlets.TraitError, match="method is one of"):
        made().method = "astrology"
    with pytest.raises(ValueError, match=r"tables of 30 by 30, by method; got x: \(29, 29\)"):
        ContactMap(made().family, {"x": torch.zeros(29, 29)})


def test_it_stands_still():
    assert made().png().startswith(b"\x89PNG")
