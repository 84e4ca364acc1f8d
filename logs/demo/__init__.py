"""Demo data: ninety days of three invented teams with members and calls, the same for the same seed and time.

`people` and `catalogue` define members, models and apps; `rhythm` the times of calls; `incidents` large and
`failures` single failures. `generate` makes reported calls from them without a database; `load` stores
everything through the same recording as real calls.
"""
