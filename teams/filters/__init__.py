"""Filters of the lists in `teams`, one module per page.

They read the parameters of the URL and filter a queryset.
"""
