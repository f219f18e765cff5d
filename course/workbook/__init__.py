"""What makes notebooks a course: commands, the build, checks and their verdicts.

- ``bootstrap``, ``cli``: ``python -m course``, from a bare Python; ``build``: notebooks from their sources
- ``record``: what an exercise is; ``stub``: the learner's cell; ``notebook``: ``@exercise``, ``check``
- ``judge``: from an answer to the mistake's name; ``answer``, ``sandbox``, ``compare``, ``chance``,
  ``relations``, ``describe``: what it uses, in that order
- ``progress``: how far a learner is; ``lectures``: the map
- ``reading``: a notebook's file, whatever state it is in; ``bounded``: what an answer prints
- ``pytest_plugin``, ``coursework``, ``cells``, ``kernels``: nbval as a coursework check; ``results``: what is
  taken for a result; ``grading``: ``python -m course check``
- ``copies``: the learner's own notebooks in ``my/``; ``update``: a new version, answers kept, by ``merge``,
  ``ownership`` (whose cell is it?), ``moved`` (the one table of moved names); ``hand_ins``: a teacher's table
- ``save_hook``, ``jupyter``: settings of the JupyterLab that ``study`` starts

Nothing is imported here: ``bootstrap`` and ``cli`` run before anything is installed.
"""

from __future__ import annotations
