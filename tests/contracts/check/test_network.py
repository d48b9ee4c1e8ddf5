"""How a deployment is reached: headers of one's own, proxies, certificates."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from click.testing import CliRunner, Result

from bluehour.mock_server.cli import main
from tests.deviants.serving import Served, served
from tests.editors import editors_file

from .fronts import proxy_to, tls_front
from .raw import Peer, ok, serving

QUICK = ("--only", "path.unknown", "--token", "mhk_test_pro_100_me", "--rate", "0")
ELSEWHERE = "http://api.example.test"
SECRET = "s3cr3t-of-the-gateway"


@pytest.fixture
def server() -> Iterator[Served]:
    with served(None) as server:
        yield server


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """An authority that nobody trusts, with its certificate in authority.pem."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    return made


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def run(*args: Any) -> Result:
    return CliRunner().invoke(main, ["check", "--spec", f"{editors_file()}", *map(str, args)])


def said(result: Result) -> str:
    """What was told, whatever its lines."""
    return " ".join(result.output.split())


def tls_of(authority: trustme.CA, *, asks_for_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "api.example.test").configure_cert(context)
    if asks_for_client:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # by which it is asked for before all else
    return context


# --- headers ------------------------------------------------------------------------------------------------


def test_a_header_goes_with_every_request_and_no_report_shows_what_it_says(
    server: Served, tmp_path: Path
) -> None:
    files = {option: tmp_path / option for option in ("html", "json", "junit", "har")}
    result = run(
        server.url, *QUICK, "--header", f"X-Gateway: {SECRET}", "--header", "User-Agent: mine/1",
        "--report", files["html"], "--json", files["json"], "--junit", files["junit"], "--har", files["har"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    entries = server.mock.journal.all() if server.mock.journal else ()
    assert entries
    assert {each.request.headers.get("X-Gateway") for each in entries} == {SECRET}
    assert {each.request.headers.get("User-Agent") for each in entries} == {"mine/1"}
    assert "what --header says: X-Gateway, User-Agent" in said(result)
    assert not [name for name, path in files.items() if SECRET in path.read_text()]


def test_a_command_that_shows_a_finding_has_a_variable_for_the_header(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    with serving(lambda peer: peer.request() and peer.send(ok(b"{}"))) as server:
        run(server.url, *QUICK, "-x", "--header", f"X-Gateway: {SECRET}", "--json", found)
    finding = json.loads(found.read_text())["findings"][0]
    assert "$BLUEHOUR_HEADER_X_GATEWAY" in finding["exchange"]["request"]["curl"]


def test_a_link_to_another_host_gets_no_header(tmp_path: Path) -> None:
    files: list[bytes] = []

    def takes_files(peer: Peer) -> None:
        while request := peer.request():
            files.append(request.split(b"\r\n\r\n")[0])
            peer.send(ok())

    with serving(takes_files) as store:
        item = {"upload_url": f"{store.url}/put?signature=abc", "file_path": "api-assets/1/a.png"}
        issued = json.dumps({"items": [item]}).encode()

        def issues_links(peer: Peer) -> None:
            while peer.request():
                peer.send(ok(issued, "Content-Type: application/json"))

        with serving(issues_links) as api:
            run(api.url, "--only", "upload.put", "--header", f"X-Gateway: {SECRET}")
            assert all(SECRET.encode() in each for each in api.requests)
    assert files
    assert not [each for each in files if SECRET.encode() in each]


# --- proxies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_a_proxy_that_the_environment_names_is_asked_for_the_whole_url(
    server: Served, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with proxy_to(server.url) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        result = run(ELSEWHERE, *QUICK)
    assert result.exit_code == 0, result.output
    assert f"through the proxy {proxy.url}" in said(result)
    assert all(each.split()[1].startswith(f"{ELSEWHERE}/") for each in proxy.asked)


def test_https_goes_through_a_tunnel_and_the_proxy_gets_its_password(
    server: Served, authority: trustme.CA, tmp_path: Path
) -> None:
    with tls_front(server.url, tls_of(authority)) as front, proxy_to(front) as proxy:
        with_password = proxy.url.replace("://", "://me:p%40ss@")
        result = run(
            "https://api.example.test", *QUICK,
            "--cacert", tmp_path / "authority.pem", "--proxy", with_password,
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert set(proxy.asked) == {"CONNECT api.example.test:443 HTTP/1.1"}
    assert proxy.credentials == {"Basic bWU6cEBzcw=="}
    assert "p@ss" not in result.output
    assert "p%40ss" not in result.output


def test_a_server_on_this_machine_is_called_directly_unless_the_proxy_is_an_option(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy_to(server.url) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert run(server.url, *QUICK).exit_code == 0
        assert proxy.asked == []
        assert run(server.url, *QUICK, "--proxy", proxy.url).exit_code == 0
        assert proxy.asked


def test_no_proxy_is_obeyed(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy_to(server.url) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "example.test")
        result = run(ELSEWHERE, *QUICK)
    assert result.exit_code == 3, result.output
    assert proxy.asked == []


def test_a_proxy_that_opens_no_tunnel_is_told(server: Served) -> None:
    with proxy_to(server.url, refuses=407) as proxy:
        result = run("https://api.example.test", *QUICK, "--proxy", proxy.url)
    assert result.exit_code == 3, result.output
    assert f"the proxy {proxy.url} answers 407" in said(result)


# --- certificates -------------------------------------------------------------------------------------------


def test_a_certificate_of_an_authority_that_is_not_known_is_refused_and_the_option_named(
    server: Served, authority: trustme.CA
) -> None:
    with tls_front(server.url, tls_of(authority)) as front:
        result = run(front, *QUICK)
    assert result.exit_code == 3, result.output
    assert "its certificate is not trusted" in said(result)
    assert "--cacert" in result.output


@pytest.mark.parametrize("option", [["--cacert", "authority.pem"], ["--insecure"]], ids=lambda each: each[0])
def test_it_is_taken_where_that_is_wanted(
    server: Served, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with tls_front(server.url, tls_of(authority)) as front:
        result = run(front, *QUICK, *option)
    assert result.exit_code == 0, result.output
    assert ("No certificate was verified" in said(result)) == (option == ["--insecure"])


@pytest.mark.parametrize("apart", [False, True], ids=["one file", "two files"])
def test_a_deployment_that_asks_for_a_certificate_is_shown_it(
    server: Served, authority: trustme.CA, tmp_path: Path, apart: bool
) -> None:
    own = authority.issue_cert("me@example.com")
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    shown = ("--cert", "cert.pem", "--key", "key.pem") if apart else ("--cert", "both.pem")
    options = [tmp_path / each if each.endswith("pem") else each for each in shown]
    trusting = ("--cacert", tmp_path / "authority.pem")
    with tls_front(server.url, tls_of(authority, asks_for_client=True)) as front:
        assert run(front, *QUICK, *trusting, *options).exit_code == 0
        assert run(front, *QUICK, *trusting).exit_code == 3


# --- what can't be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--header", "X-Team"], "--header: say a name and a value"),
        (["--header", "X Team: a"], "--header: say a name and a value"),
        (["--header", "X-Team: a\nb"], "no header can have"),
        (["--header", "Authorization: Bearer a"], "--token"),
        (["--header", "content-type: text/plain"], "it is what a check tries"),
        (["--proxy", "socks5://127.0.0.1:9"], "--proxy: say an HTTP proxy"),
        (["--proxy", "https://127.0.0.1:9"], "SOCKS and proxies behind TLS are not supported"),
        (["--proxy", "http://a:99999"], "--proxy is no URL of a proxy"),
        (["--cacert", "nothing.pem"], "does not exist"),
        (["--cacert", "text.txt"], "--cacert: text.txt has no certificate"),
        (["--cert", "text.txt"], "--cert: text.txt can't be used"),
        (["--key", "text.txt"], "by --cert FILE"),
        (["--cacert", "authority.pem", "--insecure"], "leave one out"),
        (["--cert", "locked.pem"], "has a passphrase"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_can_not_be_is_told_in_a_line(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("nothing")
    Path("locked.pem").write_bytes(locked(authority))
    result = run("https://127.0.0.1:9", *QUICK, *options)
    assert result.exit_code == 2, result.output
    error = result.output.splitlines()[-1]
    assert error.startswith("Error: ")
    assert says in error
    assert "Traceback" not in result.output


def test_a_variable_that_names_no_http_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:9")
    result = run(ELSEWHERE, *QUICK)
    assert result.exit_code == 2, result.output
    assert "HTTP_PROXY: say an HTTP proxy" in result.output


def locked(authority: trustme.CA) -> bytes:
    """A certificate with a key that is encrypted."""
    from cryptography.hazmat.primitives import serialization as forms

    own = authority.issue_cert("me@example.com")
    key = forms.load_pem_private_key(own.private_key_pem.bytes(), None)
    encrypted = key.private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.BestAvailableEncryption(b"secret")
    )
    return encrypted + own.cert_chain_pems[0].bytes()
