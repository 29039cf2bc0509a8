"""The libraries whose learners are compared, each the module of a process of its own.

A worker's one unit, `train`, trains all seeds and reports `returns`, for every seed the mean return
of the episodes that ended in the last fifth of its `steps`.
"""
