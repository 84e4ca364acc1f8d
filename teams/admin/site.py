"""Settings of the admin site: its title, and sign-in and password change by the pages of django-allauth."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.views.generic import RedirectView

# The admin's own sign-in form has neither rate limits nor a second factor; django-allauth's has both.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# The admin's own page for changing one's password writes no activity.
_password = RedirectView.as_view(pattern_name="account_change_password")
admin.site.password_change = _password  # type: ignore[method-assign,assignment]
admin.site.site_header = admin.site.site_title = "Callboard"
