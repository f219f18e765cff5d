"""Published returns, and what the notebook says of them."""

from course.data.published_returns import ATARI, SOURCE


def test_returns_are_no_shares():
    assert [row.game for row in ATARI] == ["Breakout", "Qbert", "Pong", "Seaquest"]
    everything = [score for row in ATARI for score in (row.decision_transformer, row.cql, row.cloning)]
    assert max(everything) > 200 and min(everything) < 3
    assert "table 1" in SOURCE


def test_neither_method_is_the_better_one_everywhere():
    ahead = [row.decision_transformer > row.cql for row in ATARI]
    assert any(ahead) and not all(ahead)
