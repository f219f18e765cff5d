"""Attention for less than n²: each way equal to full attention where it should be.

- ``bigbird``: a window, a few places for everybody, a few at random; computed in blocks
- ``linformer``: keys and values projected from n places to a few
- ``reformer``: keys looked for by hashing; ``reversible``: layers whose inputs need not be stored
- ``tiled``: all of it, exactly, a tile at a time; ``grouped``: fewer heads of keys and values
"""

from __future__ import annotations
