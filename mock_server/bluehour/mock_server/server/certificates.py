"""Certificates for https: given ones, or ones that an authority of this user's own makes at the start."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bluehour.openapi.errors import BluehourError

from ..core.installing import command_for

if TYPE_CHECKING:
    from trustme import CA

_FOLDER = "BLUEHOUR_CA"
_CERTIFICATE, _KEY = "ca.pem", "ca-key.pem"


class CertificateError(BluehourError):
    """There is no certificate to serve with; the message says why, in one line."""


def context_from(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Return what serves with a certificate that was given.

    Args:
        certificate: PEM, with those between it and its authority.
        key: its key; None where the same file has it.

    Raises:
        CertificateError: a file can't be read, or is none.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_alpn_protocols(["http/1.1"])
    try:
        made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or error
        if key is None and isinstance(error, ssl.SSLError):
            reason = "it has no key; give that by --tls-key"
        raise CertificateError(f"--tls-cert: {certificate} can't be used: {reason}") from error
    return made


def context_made_for(hosts: Iterable[str]) -> ssl.SSLContext:
    """Return what serves with a certificate that is made now: for these hosts, and for this machine.

    Raises:
        CertificateError: what makes certificates is not installed, or the authority's files can't be used.
    """
    names = dict.fromkeys(["localhost", "127.0.0.1", "::1", socket.gethostname(), *hosts])
    issued = authority().issue_cert(*filter(None, names))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_alpn_protocols(["http/1.1"])
    issued.configure_cert(made)
    return made


def folder() -> Path:
    """Return where the authority of this user is kept: as BLUEHOUR_CA says, or with its other settings."""
    return Path(os.environ.get(_FOLDER) or Path(click.get_app_dir("bluehour")) / "ca")


def certificate_path() -> Path:
    """Return the file that clients are to trust."""
    return folder() / _CERTIFICATE


def authority() -> CA:
    """Return this user's authority, which is made the first time.

    Raises:
        CertificateError: it can't be.
    """
    try:
        import trustme
    except ImportError as error:
        raise CertificateError(
            f"--tls needs more than the mock does, unless a certificate is given: {command_for('tls')}"
        ) from error
    certificate, key = certificate_path(), folder() / _KEY
    try:
        if certificate.exists() and key.exists():
            return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
        made = trustme.CA(organization_name="Bluehour", organization_unit_name=f"for {socket.gethostname()}")
        with _written_whole(key, 0o600) as file:
            file.write_bytes(made.private_key_pem.bytes())
        with _written_whole(certificate, 0o644) as file:
            file.write_bytes(made.cert_pem.bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CertificateError(f"the authority in {folder()} can't be used: {reason}") from error
    return made


@contextmanager
def _written_whole(path: Path, mode: int) -> Iterator[Path]:
    """Give a file beside another to write, and put it in its place: nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        Path(name).chmod(mode)
        Path(name).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
