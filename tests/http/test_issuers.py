"""Tokens of another issuer with a key pair of its own: what its JWKS has counts, and nothing else does."""

import json
import subprocess
from base64 import b16decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jwt.utils import base64url_encode

from circle27.stack.supervision import Supervisor, wait_until
from tests.stack import Stack

EMAIL = "elsewhere@stanford.edu"


def openssl(*arguments: str | Path, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def made_key(path: Path) -> Path:
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)
    return path


def encoded(part: dict[str, Any]) -> bytes:
    return base64url_encode(json.dumps(part).encode())


def signed(claims: dict[str, Any], key: Path) -> str:
    """A token by RS256, under the name that the issuer's key has."""
    text = encoded({"alg": "RS256", "typ": "JWT", "kid": "theirs"}) + b"." + encoded(claims)
    return b".".join((text, base64url_encode(openssl("dgst", "-sha256", "-sign", key, given=text)))).decode()


def told(stack: Stack, jwks: str) -> None:
    """Let both PostgREST read a set of keys."""
    (stack.home / "secrets/jwt.jwks").write_text(jwks, "utf-8")
    for service in stack.settings.postgrest_services():
        Supervisor(stack.settings).signal(service, "USR2")


def statuses(stack: Stack, token: str) -> set[int]:
    """Ask both PostgREST, past the gateway, which deals the calls out."""
    headers = {"Authorization": f"Bearer {token}"}
    urls = [stack.settings.url(service) for service in stack.settings.postgrest_services()]
    return {stack.http.post(f"{url}/rpc/my_profile", json={}, headers=headers).status_code for url in urls}


@pytest.fixture(scope="module")
def theirs(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The private key of another issuer, whose public one the stack was told."""
    key = made_key(tmp_path_factory.mktemp("issuer") / "key.pem")
    modulus = openssl("rsa", "-in", key, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
    public = {
        **{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "theirs", "e": "AQAB"},
        "n": base64url_encode(b16decode(modulus)).decode(),
    }
    ours = (stack.home / "secrets/jwt.jwks").read_text("utf-8")
    known = signed(stack.claims(EMAIL), key)
    assert statuses(stack, known) == {401}
    told(stack, json.dumps({"keys": [*json.loads(ours)["keys"], public]}))
    try:
        wait_until(lambda: statuses(stack, known) == {200}, 20, "the key of the other issuer is not known")
        yield key
    finally:
        told(stack, ours)
        wait_until(lambda: statuses(stack, known) == {401}, 20, "the key of the other issuer is still known")


def test_a_token_by_the_key_of_their_set(stack: Stack, theirs: Path) -> None:
    claims = stack.claims(EMAIL)
    answer = stack.rpc("my_profile", token=signed(claims, theirs))
    assert (answer.status_code, answer.json()["userId"]) == (200, claims["sub"])


def test_our_own_tokens_still_count(stack: Stack, theirs: Path) -> None:
    assert stack.rpc("my_profile", token=stack.token(EMAIL)).status_code == 200


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_a_public_key_is_no_secret_to_sign_with(stack: Stack, theirs: Path, form: str) -> None:
    """Whoever reads the public key signs with it as if it were the secret of HS256."""
    public = openssl("pkey", "-in", theirs, "-pubout", "-outform", form)
    text = encoded({"alg": "HS256", "typ": "JWT", "kid": "theirs"}) + b"." + encoded(stack.claims(EMAIL))
    hexadecimal = openssl("dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{public.hex()}", given=text)
    signature = b16decode(hexadecimal.decode().strip().rpartition(" ")[2].upper())
    token = b".".join((text, base64url_encode(signature))).decode()
    assert stack.rpc("my_profile", token=token).status_code == 401


def test_a_stranger_who_names_their_key(stack: Stack, theirs: Path, tmp_path: Path) -> None:
    token = signed(stack.claims(EMAIL), made_key(tmp_path / "another.pem"))
    assert stack.rpc("my_profile", token=token).status_code == 401


@pytest.mark.parametrize("claims", [{"aud": "elsewhere"}, {"exp": 1}, {"sub": "nobody"}, {"role": "postgres"}], ids=str)
def test_their_tokens_have_the_same_rules(stack: Stack, theirs: Path, claims: dict[str, Any]) -> None:
    answer = stack.rpc("my_profile", token=signed({**stack.claims(EMAIL), **claims}, theirs))
    assert answer.status_code in (401, 403)
