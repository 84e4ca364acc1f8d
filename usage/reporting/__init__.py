"""Counts for each key how many records it sent and how many were accepted, duplicate or rejected, and why.

A key is an API token or a gateway key, with which programs report calls.
"""
