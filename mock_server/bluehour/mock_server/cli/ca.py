"""The command `bluehour ca`."""

from __future__ import annotations

import click

from ..server.certificates import CertificateError, authority, certificate_path
from . import Problem


@click.command()
@click.option("--path", "is_path", is_flag=True, help="Print the certificate's path alone, for scripts.")
def ca(is_path: bool) -> None:
    """Show the certificate that clients trust, so that they trust `bluehour serve --tls`.

    It is of an authority of your own, made the first time, and kept in your settings or in the folder that
    BLUEHOUR_CA names. Whoever has its key there could make certificates that you trust: keep it to yourself.

    Exit codes: 0 done, 2 it can't be made (one line says why).
    """
    try:
        authority()
    except CertificateError as error:
        raise Problem(str(error)) from error
    path = certificate_path()
    if is_path:
        click.echo(path)
        return
    click.echo(f"{path}\n\nTo have it trusted:")
    for what, how in (
        ("curl", f"curl --cacert {path} https://…"),
        ("Python", f"SSL_CERT_FILE={path}   (requests: REQUESTS_CA_BUNDLE)"),
        ("Node", f"NODE_EXTRA_CA_CERTS={path}"),
        (
            "Debian",
            f"sudo cp {path} /usr/local/share/ca-certificates/bluehour.crt && sudo update-ca-certificates",
        ),
        ("macOS", f"sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain {path}"),
        ("Windows", f"certutil -addstore -user Root {path}"),
    ):
        click.echo(f"  {what:9}{how}")
