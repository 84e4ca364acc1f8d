"""Settings from the environment; an invalid value stops the start with an error that names the variable."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BALANCE = "settings.DEFAULT_BALANCE_USD"
FORM_ACTION = "*settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']"
OPENID: dict[str, Any] = {"CALLBOARD_OIDC_CLIENT_ID": "callboard", "CALLBOARD_OIDC_CLIENT_SECRET": "secret"}


def start_with(folder: Path, show: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "CALLBOARD_VAR_DIR": str(folder), **settings}
    code = f"from config import settings; print({show})"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(("query", "kept"), [("", "3"), ("?prepare_threshold=none", "None")])
def test_plans_are_kept_unless_the_url_says_otherwise(tmp_path: Path, query: str, kept: str) -> None:
    url = f"postgres://callboard@127.0.0.1/callboard{query}"
    shown = "settings.DATABASES['default']['OPTIONS']['prepare_threshold']"
    assert start_with(tmp_path, shown, DATABASE_URL=url).stdout.strip() == kept


def test_a_senseless_threshold_stops_the_start_with_its_name(tmp_path: Path) -> None:
    done = start_with(
        tmp_path, "1", DATABASE_URL="postgres://callboard@127.0.0.1/callboard?prepare_threshold=few"
    )
    assert done.returncode == 1
    assert "DATABASE_URL: prepare_threshold" in done.stderr


@pytest.mark.parametrize(("text", "shown"), [("", "None"), ("0", "0"), ("12.50", "12.50")])
def test_the_balance_of_new_users_is_an_amount_or_nothing(tmp_path: Path, text: str, shown: str) -> None:
    assert start_with(tmp_path, BALANCE, CALLBOARD_DEFAULT_BALANCE_USD=text).stdout.strip() == shown


@pytest.mark.parametrize("text", ["ten", "-1", "NaN", "Infinity", "1e8", "0.0000000001"])
def test_what_cannot_be_a_balance_stops_the_start_not_the_first_sign_up(tmp_path: Path, text: str) -> None:
    done = start_with(tmp_path, BALANCE, CALLBOARD_DEFAULT_BALANCE_USD=text)
    assert done.returncode == 1
    assert "CALLBOARD_DEFAULT_BALANCE_USD" in done.stderr


def test_forms_may_lead_to_the_host_of_the_provider_and_to_those_that_are_named(tmp_path: Path) -> None:
    done = start_with(
        tmp_path,
        FORM_ACTION,
        CALLBOARD_OIDC_SERVER_URL="https://id.example:8443/realms/harbour",
        CALLBOARD_OIDC_SIGN_IN_HOSTS="https://login.example,https://more.example",
        **OPENID,
    )
    hosts = ["https://login.example", "https://more.example", "https://id.example:8443"]
    assert done.stdout.split() == ["'self'", *hosts]


def test_without_a_provider_forms_lead_nowhere_else(tmp_path: Path) -> None:
    assert start_with(tmp_path, FORM_ACTION).stdout.split() == ["'self'"]


@pytest.mark.parametrize("address", ["id.example", "ftp://id.example", "https://"])
def test_an_address_of_the_provider_that_is_none_stops_the_start(tmp_path: Path, address: str) -> None:
    done = start_with(tmp_path, FORM_ACTION, CALLBOARD_OIDC_SERVER_URL=address, **OPENID)
    assert done.returncode == 1
    assert "CALLBOARD_OIDC_SERVER_URL must be a full address" in done.stderr


@pytest.mark.parametrize(("url", "word"), [("", "none"), ("smtp://127.0.0.1:25", "mandatory")])
def test_addresses_must_be_confirmed_where_mail_can_be_sent(tmp_path: Path, url: str, word: str) -> None:
    mail = {"EMAIL_URL": url} if url else {}
    assert start_with(tmp_path, "settings.ACCOUNT_EMAIL_VERIFICATION", **mail).stdout.strip() == word
