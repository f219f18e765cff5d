"""One recipe a shipped checkpoint, and what families of them share.

Shared: ``characters``, ``texts``, ``translation``, ``bert``. Each other has ``train(folder, device)``.
"""

from __future__ import annotations
