"""Finds anomalies: unusual periods in a team's usage.

The package `detectors` computes scores in pure numpy. `reading` turns rollups into hourly arrays, `candidates`
runs the detectors, `causes` and `drivers` find out which members, tokens or models caused an anomaly,
`sentences` describes it, and `find` returns the result as episodes.
"""
