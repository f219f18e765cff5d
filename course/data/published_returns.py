"""What offline reinforcement learning scored in games, as published: returns, and no shares of anything."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = (
    "Chen et al. 2021 (Decision Transformer), table 1: 1 % of the DQN-replay data, gamer-normalised returns, "
    "mean of three seeds"
)


@dataclass(frozen=True)
class GameScores:
    """Returns in one Atari game: 0 is somebody who presses buttons by chance, 100 a professional player.

    Args:
        decision_transformer: asked for a high return.
        cql: conservative Q-learning, the strongest rival of that table.
        cloning: behaviour cloning.
    """

    game: str
    decision_transformer: float
    cql: float
    cloning: float


ATARI = (
    GameScores("Breakout", 267.5, 211.1, 138.9),
    GameScores("Qbert", 15.4, 104.2, 17.3),
    GameScores("Pong", 106.1, 111.9, 85.2),
    GameScores("Seaquest", 2.5, 1.7, 2.1),
)
