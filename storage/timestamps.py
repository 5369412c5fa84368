"""Time-stamps of an outside authority (RFC 3161): this text existed at that moment.

The authority sees a hash, never the text. Its answer is checked before it is kept, against the
certificates named in the settings and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from workflows.errors import Unavailable

_MOST_BYTES = 64 * 1024
_HEADERS = {"Content-Type": "application/timestamp-query"}


class StampWrong(Exception):
    """A time-stamp is not over this text, or not from an authority that is trusted."""


class NoStamp(Unavailable):
    """The authority does not answer, or with something else; the checkpoint waits for the next."""

    def __init__(self, detail: str) -> None:
        super().__init__("Chưa xin được dấu thời gian. Hệ thống sẽ tự xin lại.")
        self.detail = detail


@dataclass(frozen=True)
class Authority:
    """A time-stamp authority: its address, and the PEM file of certificates to trust."""

    url: str
    roots: Path

    def certificates(self) -> list[x509.Certificate]:
        """What its own certificate must lead to."""
        return x509.load_pem_x509_certificates(self.roots.read_bytes())

    def stamp(self, text: bytes) -> bytes:
        """A checked time-stamp over `text`, as DER. Raises NoStamp, StampWrong."""
        request = TimestampRequestBuilder(
            data=text, hash_algorithm=HashAlgorithm.SHA256, nonce=True, cert_req=True
        ).build()
        answer = self._ask(request.as_bytes())
        verifier = VerifierBuilder.from_request(request)
        for certificate in self.certificates():
            verifier = verifier.add_root_certificate(certificate)
        try:
            verifier.build().verify_message(_decoded(answer), text)
        except VerificationError as error:
            raise StampWrong(str(error)) from error
        return answer

    def _ask(self, query: bytes) -> bytes:
        """The answer's bytes: no more than a stamp can be, and from no other place than asked."""
        pool = PoolManager(
            timeout=Timeout(connect=5, read=20), retries=Retry(1, redirect=False), num_pools=1
        )
        try:
            answer = pool.request(
                "POST", self.url, body=query, headers=_HEADERS, redirect=False,
                preload_content=False, decode_content=False,
            )  # fmt: skip
            data = bytes(answer.read(_MOST_BYTES + 1, decode_content=False))
            answer.release_conn()
        except HTTPError as error:
            raise NoStamp(type(error).__name__) from error
        if answer.status != 200 or len(data) > _MOST_BYTES:
            raise NoStamp(f"HTTP {answer.status}, {len(data)} bytes")
        return data


def _decoded(answer: bytes) -> TimeStampResponse:
    try:
        return decode_timestamp_response(answer)
    except ValueError as error:
        raise StampWrong("not a time-stamp") from error


def check_stamp(answer: bytes, text: bytes, roots: list[x509.Certificate]) -> datetime:
    """The moment that a kept time-stamp names. Raises StampWrong."""
    stamped = _decoded(answer)
    verifier = VerifierBuilder()
    for certificate in roots:
        verifier = verifier.add_root_certificate(certificate)
    try:
        verifier.build().verify_message(stamped, text)
    except VerificationError as error:
        raise StampWrong(str(error)) from error
    return stamped.tst_info.gen_time
