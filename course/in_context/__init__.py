"""Learning in context: tasks set by examples in a prompt, exact baselines beside the models that do them.

- ``tasks``: addition, spelling, translation, copying, reversal, looking up; ``prompts``: how they are written
- ``baselines``, ``few_shot``: what answers such a prompt, by rule and by network
- ``regression``, ``regressor``: the same with numbers: linear regression, its exact estimators, its model
- ``induction``: the heads that copy what came after the last time
"""
