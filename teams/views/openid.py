"""Views for signing in by the site's OpenID Connect provider. They replace those of django-allauth."""

from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView, OAuth2View
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from requests import RequestException

from teams.openid import VerifyingAdapter


@login_not_required
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Redirects to the provider on POST. On GET, shows a page that asks for confirmation."""
    return _answer(OAuth2LoginView, request, provider_id)


@login_not_required
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Handles the request with which the provider redirects back, and signs the user in."""
    return _answer(OAuth2CallbackView, request, provider_id)


def _answer(view: type[OAuth2View], request: HttpRequest, provider_id: str) -> HttpResponse:
    """Runs a view of django-allauth with `VerifyingAdapter`. If the provider fails, shows an error page."""
    adapter = VerifyingAdapter(request, provider_id)
    try:
        response: HttpResponse = view.adapter_view(adapter)(request)
    except SocialApp.DoesNotExist as error:
        raise Http404("No such provider") from error
    except (OAuth2Error, RequestException, KeyError) as error:
        response = render_authentication_error(request, adapter.get_provider(), exception=error)
    return response
