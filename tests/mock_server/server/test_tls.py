"""https: a client that trusts the authority of `bluehour ca` is served, links included; no other is."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
import trustme
from click.testing import CliRunner

from bluehour.mock_server.cli import main
from bluehour.mock_server.server.certificates import certificate_path

UPLOADS = {"items": [{"type": "image", "extension": "png"}]}


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BLUEHOUR_")}
    with subprocess.Popen(
        [sys.executable, "-m", "bluehour", "serve", "--port", "0", *options],
        env={**environment, "BLUEHOUR_CA": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        address = re.search(r"https?://\S+", server.stdout.readline())
        assert address
        try:
            yield address[0]
        finally:
            server.send_signal(signal.SIGINT)


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def upload_url(base_url: str, context: ssl.SSLContext, **headers: str) -> str:
    named = {"Authorization": "Bearer t", "Content-Type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(f"{base_url}/v1/files/upload-urls", json.dumps(UPLOADS).encode(), named)
    with urlopen(request, context=context) as answer:
        return str(json.load(answer)["items"][0]["upload_url"])


def test_whoever_trusts_the_authority_is_served_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLUEHOUR_CA", str(tmp_path))
    ran = CliRunner().invoke(main, ["ca", "--path"])
    assert ran.output == f"{certificate_path()}\n"
    assert stat.S_IMODE((tmp_path / "ca-key.pem").stat().st_mode) == 0o600
    with serving(tmp_path, "--tls") as base_url:
        assert base_url.startswith("https://127.0.0.1:")
        link = upload_url(base_url, trusting(certificate_path()))
        assert link.startswith(base_url)
        put = Request(link, b"x" * 300_000, method="PUT")
        with urlopen(put, context=trusting(certificate_path())) as answer:
            assert answer.status == 200
        with pytest.raises(URLError, match="certificate verify failed"):
            upload_url(base_url, ssl.create_default_context())


def test_the_authority_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLUEHOUR_CA", str(tmp_path))
    CliRunner().invoke(main, ["ca"])
    before = certificate_path().read_bytes()
    ran = CliRunner().invoke(main, ["ca"])
    assert certificate_path().read_bytes() == before
    assert f"NODE_EXTRA_CA_CERTS={certificate_path()}" in ran.output


def test_a_certificate_of_ones_own(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    with serving(tmp_path, "--tls-cert", str(tmp_path / "own.pem")) as base_url:
        assert upload_url(base_url, trusting(tmp_path / "authority.pem")).startswith(base_url)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tls-cert", "none.pem"], "--tls-cert: none.pem can't be used: No such file or directory"),
        (["--tls-key", "key.pem"], "--tls-key: give the certificate as well, by --tls-cert"),
        (["--public-url", "mock"], "--public-url: mock is no base URL, as https://mock.example.com is"),
        (["--trust-proxy", "nginx"], "--trust-proxy: 'nginx' is no address and no network"),
    ],
)
def test_what_can_not_be_is_told_in_a_line(options: list[str], message: str) -> None:
    ran = CliRunner().invoke(main, ["serve", "--port", "0", *options])
    assert ran.exit_code == 2
    assert message in ran.output


def test_an_authority_that_is_broken_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLUEHOUR_CA", str(tmp_path))
    (tmp_path / "ca.pem").write_text("nothing")
    (tmp_path / "ca-key.pem").write_text("nothing")
    ran = CliRunner().invoke(main, ["ca"])
    assert ran.exit_code == 2
    assert f"the authority in {tmp_path} can't be used" in ran.output
