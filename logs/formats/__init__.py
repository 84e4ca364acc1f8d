"""The formats that calls come in: each module turns records into `ReportedCall`s, or says what is wrong.

`callboard` is the format of API.md §3 and the only judge of what a valid call is. The others translate
into it first (`translated`), so one set of limits holds for all.
"""
