"""What is unusual in a team's usage.

The detectors (common, periods, rates, latency, members, drivers) are pure numpy; sentences puts them into
words; reading, candidates, causes and find bring the rollups to them and the episodes back.
"""
