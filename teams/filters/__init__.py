"""Filters of the lists in `teams`, one module per page: they read the URL and refine a queryset."""
