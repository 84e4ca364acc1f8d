"""Finds anomalies: unusual periods in a team's usage.

The package `detectors` is pure numpy. `reading` turns rollups into hourly arrays, `candidates` runs the
detectors, `causes` and `drivers` find out who drove an anomaly, `sentences` describes it, `find` returns
episodes.
"""
