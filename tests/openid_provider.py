"""A small OpenID Connect provider, for tests: discovery, keys, a sign-in form, tokens, user info, PKCE.

`python tests/openid_provider.py` prints the address it listens on. Whoever signs in says who they are; the field
`fault` makes it break one rule, for tests of what must not be believed.
"""

import base64
import hashlib
import html
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT_ID, CLIENT_SECRET = "callboard", "a secret of at least thirty-two bytes"
KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}
FORGED = rsa.generate_private_key(65537, 2048)
codes: dict[str, dict[str, str]] = {}  # code → the form of whoever signed in
people: dict[str, dict[str, str]] = {}  # access token → the same


def key_set() -> dict[str, Any]:
    keys = []
    for name, key in KEYS.items():
        key_class: Any = jwt.get_algorithm_by_name(name)
        # Without "alg", as many providers have it.
        keys.append({**key_class.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig"})
    return {"keys": keys}


class Provider(BaseHTTPRequestHandler):
    server: HTTPServer

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/.well-known/openid-configuration":
            self.answer(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "userinfo_endpoint": f"{self.issuer}/userinfo",
                    "jwks_uri": f"{self.issuer}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        elif url.path == "/keys":
            self.answer(key_set())
        elif url.path == "/authorize":
            hidden = "".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(values[0])}">'
                for name, values in parse_qs(url.query).items()
            )
            fields = (
                '<label>Address <input name="email"></label><input type="hidden" name="verified" value="yes">'
            )
            self.page(
                f'<link rel="icon" href="data:,"><form method="post">{hidden}{fields}<button>Let me in</button></form>'
            )
        elif url.path == "/userinfo":
            person = people[self.headers["Authorization"].removeprefix("Bearer ")]
            fault = person.get("fault", "")
            self.answer(claims(person) | ({"sub": "somebody-else"} if fault == "subject" else {}))
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        if self.path.startswith("/authorize"):
            self.let_in(form)
        elif self.path == "/token":
            self.give_token(form)
        else:
            self.send_error(404)

    def let_in(self, form: dict[str, str]) -> None:
        code = secrets.token_urlsafe()
        codes[code] = form
        back = {"error": "access_denied"} if form.get("fault") == "denied" else {"code": code}
        self.send_response(302)
        self.send_header("Location", f"{form['redirect_uri']}?{urlencode({**back, 'state': form['state']})}")
        self.end_headers()

    def give_token(self, form: dict[str, str]) -> None:
        person = codes.pop(form["code"])
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        right = (
            form["client_id"] == CLIENT_ID
            and form["client_secret"] == CLIENT_SECRET
            and form["redirect_uri"] == person["redirect_uri"]
            and base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == person["code_challenge"]
        )
        if not right or person.get("fault") == "refused":
            return self.answer({"error": "invalid_grant"}, 400)
        access_token = secrets.token_urlsafe()
        people[access_token] = person
        answer = {"access_token": access_token, "token_type": "Bearer"}
        if person.get("fault") != "no token":
            answer["id_token"] = self.signed(person)
        return self.answer(answer)

    def signed(self, person: dict[str, str]) -> str:
        fault, now = person.get("fault", ""), int(time.time())
        said = claims(person) | {
            "iss": "https://elsewhere.example" if fault == "issuer" else self.issuer,
            "aud": "another client" if fault == "audience" else CLIENT_ID,
            "iat": now - 7200 if fault == "expired" else now,
            "exp": now - 3600 if fault == "expired" else now + 300,
        }
        algorithm = person.get("algorithm", "RS256")
        if fault == "unsigned":
            return jwt.encode(said, None, "none")
        if algorithm == "HS256":
            return jwt.encode(said, CLIENT_SECRET, algorithm)
        if fault == "public key as secret":  # the way to forge that mixes up the two kinds of key
            return jwt.encode(said, json.dumps(key_set()["keys"][0]), "HS256", headers={"kid": "RS256"})
        key = FORGED if fault == "signature" else KEYS[algorithm]
        return jwt.encode(said, key, algorithm, headers={"kid": algorithm})

    def answer(self, content: dict[str, Any], status: int = 200) -> None:
        self.write(json.dumps(content), "application/json", status)

    def page(self, body: str) -> None:
        self.write(
            f'<!doctype html><title>Provider</title><link rel="icon" href="data:,">{body}', "text/html", 200
        )

    def write(self, text: str, kind: str, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


def claims(person: dict[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "sub": f"sub-of-{person['email']}",
        "name": person.get("name", "Kim Lee"),
        "email": person["email"],
    }
    if "verified" in person:
        said["email_verified"] = {"yes": True, "no": False}.get(person["verified"], person["verified"])
    return said


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201
    server.serve_forever()
