"""Signed URLs and forms."""

from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.server.blobs.signing import FormPolicy, UrlSigner
from airflow_provider_lake.server.errors import ForbiddenError

HOST = "http://lake"
SIGNER = UrlSigner(b"secret", timedelta(hours=1))
EXPIRED = UrlSigner(b"secret", timedelta(hours=-1))
OTHER = UrlSigner(b"other", timedelta(hours=1))

texts = st.text(st.characters(exclude_categories=["Cs"]))


def _opened(url: str) -> tuple[str, dict[str, str]]:
    """Take a URL apart as a server does."""
    parts = urlsplit(url)
    return unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True))


@given(path=texts, arguments=st.dictionaries(texts.filter(lambda name: name not in {"expires", "signature"}), texts))
def test_a_signed_url_is_accepted(path: str, arguments: dict[str, str]) -> None:
    """Whatever its path and arguments."""
    sent_path, query = _opened(SIGNER.sign_url("GET", HOST, f"/{path}", arguments))

    SIGNER.check_url("GET", sent_path, query)

    assert sent_path == f"/{path}"
    assert arguments.items() <= query.items()


def test_a_changed_url_is_refused() -> None:
    """Another method, path, argument, expiry or key; one argument more or less; no signature at all."""
    path, query = _opened(SIGNER.sign_url("GET", HOST, "/a", {"object": "b"}))
    wrong = [
        (SIGNER, "PUT", path, query),
        (SIGNER, "GET", "/b", query),
        (SIGNER, "GET", path, query | {"object": "c"}),
        (SIGNER, "GET", path, query | {"expires": "99999999999"}),
        (SIGNER, "GET", path, query | {"more": ""}),
        (SIGNER, "GET", path, {name: value for name, value in query.items() if name != "object"}),
        (SIGNER, "GET", path, query | {"signature": "\ud800"}),
        (SIGNER, "GET", path, {}),
        (OTHER, "GET", path, query),
    ]
    for signer, method, changed_path, changed in wrong:
        with pytest.raises(ForbiddenError, match="signature does not match"):
            signer.check_url(method, changed_path, changed)


def test_an_expired_url_is_refused() -> None:
    """Though its signature is right."""
    with pytest.raises(ForbiddenError, match="expired"):
        SIGNER.check_url("GET", *_opened(EXPIRED.sign_url("GET", HOST, "/a")))


@given(object_name=texts, content_type=texts, max_bytes=st.integers(min_value=0))
def test_a_signed_form_gives_its_policy_back(object_name: str, content_type: str, max_bytes: int) -> None:
    """Whatever it allows."""
    policy = FormPolicy(object_name, content_type, max_bytes, SIGNER.expiry())

    assert SIGNER.check_form(SIGNER.sign_form(policy)) == policy


def test_a_changed_or_expired_form_is_refused() -> None:
    """Another object, another policy, another key, or too late."""
    fields = SIGNER.sign_form(FormPolicy("a", "image/png", 10, SIGNER.expiry()))
    larger = OTHER.sign_form(FormPolicy("a", "image/png", 99, OTHER.expiry()))
    late = EXPIRED.sign_form(FormPolicy("a", "image/png", 10, EXPIRED.expiry()))

    for wrong in (fields | {"key": "b"}, fields | {"policy": larger["policy"]}, larger, late, {}):
        with pytest.raises(ForbiddenError):
            SIGNER.check_form(wrong)
