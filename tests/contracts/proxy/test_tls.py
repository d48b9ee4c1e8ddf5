"""An upstream behind TLS is verified, as any client would."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from bluehour.contracts.check.network import Network

from .lying import Quiet, app
from .running import proxied
from .test_judging import call

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of localhost's own, with its key in the same file."""
    path = tmp_path / "server.pem"
    command = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    made = subprocess.run(
        ["openssl", *command.split(), "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")],
        capture_output=True,
    )
    assert made.returncode == 0, made.stderr
    path.write_bytes((tmp_path / "cert").read_bytes() + (tmp_path / "key").read_bytes())
    return path


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet, ssl_context=context)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.port}"
    server.shutdown()
    server.server_close()


def test_a_certificate_that_is_trusted_lets_traffic_pass(
    encrypted: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with proxied(encrypted) as proxy:
        for _ in range(2):
            assert call(f"{proxy.url}/v1/image-projects/one")[0] == 200


@pytest.mark.parametrize("trusts", ["the authority", "anybody"])
def test_one_that_is_taken_by_an_option_lets_traffic_pass(
    encrypted: str, certificate: Path, trusts: str
) -> None:
    network = Network(cacert=certificate) if trusts == "the authority" else Network(insecure=True)
    with proxied(encrypted, network=network) as proxy:
        assert call(f"{proxy.url}/v1/image-projects/one")[0] == 200


def test_one_that_is_not_is_refused(encrypted: str) -> None:
    with proxied(encrypted) as proxy:
        status, answer = call(f"{proxy.url}/v1/image-projects/one")
    assert status == 502
    assert "its certificate is refused: self-signed certificate; see --cacert" in answer["message"]
