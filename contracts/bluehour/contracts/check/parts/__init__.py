"""The parts of a check, a module for each area of the contract; `schedule.py` says in which order."""
