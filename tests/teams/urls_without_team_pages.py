"""A site on which no page of a team exists."""

urlpatterns: list = []
