"""Generates demo data: ninety days of calls in three invented teams. The same seed and time give the same data.

`people` and `catalogue` define members, models and apps; `rhythm` the times of calls; `incidents` large and
`failures` single failures. `generate` makes reported calls from them without a database; `load` stores
everything with the same code that records real calls.
"""
