"""Where the server listens, how many it lets in, and how it ends."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, suppress

import pytest

from bluehour.mock_server.api.reply import Disruption, Reply
from bluehour.mock_server.server.connection import Limits
from bluehour.mock_server.server.listening import HostError, reserved
from bluehour.mock_server.server.thread import served_in_thread

from .conftest import Client, Recorder, Served

GET = "GET /a HTTP/1.1\nHost: x\n\n"


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_a_host_that_there_is_not_is_told(host: str) -> None:
    with pytest.raises(HostError, match=f"port 0 on {host} can't be used"), reserved(host, 0):
        pass


@pytest.mark.parametrize("is_served", [False, True])
def test_a_port_is_nobody_elses_once_it_is_reserved(is_served: bool) -> None:
    with reserved("127.0.0.1", 0) as listener, ExitStack() as stack:
        if is_served:
            stack.enter_context(served_in_thread(Recorder(), listener))
        port = listener.getsockname()[1]
        message = f"port {port} on 127.0.0.1 is taken; choose another with --port"
        with pytest.raises(HostError, match=message), reserved("127.0.0.1", port):
            pass


def test_a_client_may_connect_before_there_is_anybody_to_answer() -> None:
    with reserved("127.0.0.1", 0) as listener:
        client = Client(listener.getsockname())
        client.send(GET)
        with served_in_thread(Recorder(), listener):
            assert client.answer()[0] == 200
        client.socket.close()


def test_a_host_may_be_a_name() -> None:
    with reserved("localhost", 0) as listener, served_in_thread(Recorder(), listener):
        client = Client(listener.getsockname()[:2])
        assert client.ask(GET)[0] == 200
        client.socket.close()


def test_a_host_may_be_of_ipv6() -> None:
    application = Recorder()
    with ExitStack() as stack:
        try:
            listener = stack.enter_context(reserved("::1", 0))
        except HostError as error:
            pytest.skip(f"this machine has no IPv6: {error}")
        stack.enter_context(served_in_thread(application, listener))
        client = Client(listener.getsockname()[:2])
        assert client.ask("GET /a HTTP/1.1\n\n")[0] == 200
        client.socket.close()
        request, _ = application.seen[0]
        assert (request.client, request.origin) == ("::1", f"http://[::1]:{listener.getsockname()[1]}")


def test_a_port_can_be_served_at_again_at_once() -> None:
    port = 0
    for _ in range(3):
        with reserved("127.0.0.1", port) as listener, served_in_thread(Recorder(), listener):
            port = listener.getsockname()[1]
            client = Client(listener.getsockname())
            assert client.ask(GET)[0] == 200
        assert client.to_the_end() == b""
        client.socket.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 20)


def test_more_clients_than_there_may_be_are_told_to_come_again() -> None:
    with ExitStack() as stack:
        served = Served(stack).start(Limits(connections=2))
        clients = [served.client() for _ in range(2)]
        assert [client.ask(GET)[0] for client in clients] == [200, 200]
        late = served.client()
        assert late.answer()[0] == 503
        assert late.to_the_end() == b""
        clients[0].socket.close()
        until = time.monotonic() + 30
        while served.client().ask(GET)[0] != 200:
            assert time.monotonic() < until


def test_clients_that_wait_for_their_answer_have_a_moment_to_get_it() -> None:
    with ExitStack() as stack:
        served = Served(stack).start(Limits(patience=30))
        begun = threading.Event()

        def answer(*_: object) -> Reply:
            begun.set()
            return Reply(200, [], b"late", Disruption(delay=0.2))

        served.application.answers["/a"] = answer
        client = served.client()
        client.send(GET)
        assert begun.wait(30)
        served.stop()
        assert client.answer()[2] == b"late"


def test_what_takes_longer_than_that_is_dropped() -> None:
    with ExitStack() as stack:
        served = Served(stack).start(Limits(patience=0.05))
        served.application.answers["/a"] = Reply(200, [], b"late", Disruption(delay=3600))
        stalled, slow = served.client(), served.client()
        stalled.send("POST /a HTTP/1.1\nContent-Length: 100\n\n{")
        slow.send(GET)
        while not served.seen:
            pass
        served.stop()
        for client in (stalled, slow):
            with suppress(ConnectionResetError):
                assert client.to_the_end() == b""


def test_threads_are_ended_with_the_server() -> None:
    before = threading.active_count()
    with ExitStack() as stack:
        served = Served(stack).start()
        served.application.lanes["/a"] = "api"
        assert served.client().ask(GET)[0] == 200
    until = time.monotonic() + 30
    while threading.active_count() > before:
        assert time.monotonic() < until
