"""Settings as the environment makes them: read in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPENID = {"CALLBOARD_OIDC_CLIENT_ID": "callboard", "CALLBOARD_OIDC_CLIENT_SECRET": "secret"}


def read(tmp_path: Path, expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = f"from config import settings; print({expression})"
    site = {"PATH": os.environ["PATH"], "CALLBOARD_VAR_DIR": str(tmp_path), **environment}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=site, capture_output=True, text=True)


def test_forms_may_lead_to_the_host_of_the_provider_and_to_those_that_are_named(tmp_path):
    done = read(
        tmp_path,
        "*settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']",
        CALLBOARD_OIDC_SERVER_URL="https://id.example:8443/realms/harbour",
        CALLBOARD_OIDC_SIGN_IN_HOSTS="https://login.example,https://more.example",
        **OPENID,
    )
    assert done.stdout.split() == [
        "'self'",
        "https://login.example",
        "https://more.example",
        "https://id.example:8443",
    ]


def test_without_a_provider_forms_lead_nowhere_else(tmp_path):
    done = read(tmp_path, "*settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']")
    assert done.stdout.split() == ["'self'"]


@pytest.mark.parametrize("address", ["id.example", "ftp://id.example", "https://"])
def test_an_address_of_the_provider_that_is_none_stops_the_start(tmp_path, address):
    done = read(tmp_path, "1", CALLBOARD_OIDC_SERVER_URL=address, **OPENID)
    assert done.returncode == 1
    assert "CALLBOARD_OIDC_SERVER_URL must be a full address" in done.stderr


@pytest.mark.parametrize(("url", "word"), [("", "none"), ("smtp://127.0.0.1:25", "mandatory")])
def test_addresses_must_be_confirmed_where_mail_can_be_sent(tmp_path, url, word):
    mail = {"EMAIL_URL": url} if url else {}
    assert read(tmp_path, "settings.ACCOUNT_EMAIL_VERIFICATION", **mail).stdout.strip() == word
