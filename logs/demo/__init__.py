"""Ninety days of an invented life: three teams, their members and calls, the same for the same seed and time.

`people` and `catalogue` are who and with what, `rhythm` is when, `incidents` is what went wrong on a grand
scale and `failures` on a small one; `generate` makes reported calls of them, without a database; `load`
puts all of it into one, through the same recording as real calls.
"""
