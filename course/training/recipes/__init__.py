"""One recipe a shipped checkpoint, and what families of them share.

``characters``, ``texts``, ``translation``, ``bert`` are shared; each other module has ``train(folder, device)``.
"""

from __future__ import annotations
