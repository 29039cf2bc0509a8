"""Sweeps that others can repeat: one file says which trials, one folder holds what came of them.

file      the TOML file, checked
trials    the points of its spaces, and the run that each is
groups    trials that one program trains; how much memory and time they take
training  a group from its start, or its checkpoint, to its trials' folders
workers   where groups train: here, in processes beside, or on Ray
driver    what to train next: all, the better ones of each rung, or what Optuna asks for
tables    results as rows, for CSV, Parquet and people
"""
