"""The figures that Prometheus reads."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from threading import Thread

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.control.client import Control
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.monitoring import control as monitoring
from bluehour.mock_server.server.inprocess import running

from ..conftest import FACE, PHOTO, Caller, data, face, photo
from ..webhooks.receiver import SECRET, receiving

parser = pytest.importorskip("prometheus_client.parser", reason="prometheus-client is not installed")

Figures = dict[tuple[str, ...], float]


def read(client: FlaskClient) -> Figures:
    """Return the figures by their names and the values of their labels, but for buckets."""
    answer = client.get("/_mock/metrics")
    assert answer.status_code == 200, answer.text
    return parsed(answer.text)


def parsed(text: str) -> Figures:
    return {
        (
            sample.name,
            *(value for label, value in sorted(sample.labels.items()) if label != "process"),
        ): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
        if "le" not in sample.labels
    }


@pytest.fixture
def store_url() -> str:
    return "memory://"


def test_requests_are_counted_by_operation_and_class_of_status(caller: Caller) -> None:
    project_id = caller.create(face())
    caller.post(FACE, face(mouth_smile=7))
    caller.post(FACE, face(), headers={"Prefer": "code=503"})
    for _ in range(3):
        caller.project(project_id)
    caller.client.get("/v1/nothing")
    caller.client.get(f"/v1/nothing/{project_id}")
    figures = read(caller.client)
    counted = {key[1:]: number for key, number in figures.items() if key[0] == "bluehour_requests_total"}
    assert counted == {
        ("aiFaceEditor.editImage", "2xx"): 1,
        ("aiFaceEditor.editImage", "4xx"): 1,
        ("aiFaceEditor.editImage", "5xx"): 1,
        ("imageProjects.getDetails", "2xx"): 3,
        ("none", "4xx"): 2,
    }


def test_a_dropped_connection_has_no_status(mock: Mock, caller: Caller) -> None:
    mock.scenarios.add({"fault": "drop"})
    caller.post(FACE, face())
    assert read(caller.client)["bluehour_requests_total", "aiFaceEditor.editImage", "none"] == 1


def test_a_histogram_has_every_request_once_and_never_falls(caller: Caller) -> None:
    for _ in range(5):
        caller.create(face())
    text = caller.client.get("/_mock/metrics").text
    (family,) = (
        each
        for each in parser.text_string_to_metric_families(text)
        if each.name == "bluehour_request_duration_seconds"
    )
    buckets = [sample.value for sample in family.samples if sample.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 5
    figures = parsed(text)
    assert figures["bluehour_request_duration_seconds_count", "aiFaceEditor.editImage"] == 5
    assert 0 < figures["bluehour_request_duration_seconds_sum", "aiFaceEditor.editImage"] < 60


def test_jobs_are_counted_as_the_clock_has_them(mock: Mock, caller: Caller) -> None:
    caller.create(face())
    caller.create(photo("api-assets/test/invalid_file_format.png"), PHOTO)
    figures = read(caller.client)
    assert figures["bluehour_jobs_unfinished", "image", "queued"] == 2
    mock.world.clock.advance(1)
    assert read(caller.client)["bluehour_jobs_unfinished", "image", "rendering"] >= 1
    mock.world.clock.advance(1000)
    figures = read(caller.client)
    assert not [name for name, *_ in figures if name == "bluehour_jobs_unfinished"]
    assert figures["bluehour_jobs_finished_total", "image", "complete"] == 1
    assert figures["bluehour_jobs_finished_total", "image", "error"] == 1
    assert figures["bluehour_credits_charged_total",] == 11
    assert figures["bluehour_credits_refunded_total",] == 10


def test_a_job_that_somebody_ends_is_counted_as_it_ended(mock: Mock, caller: Caller) -> None:
    project_id = caller.create(face())
    mock.world.end_project(project_id, "canceled")
    mock.world.clock.advance(1000)
    figures = read(caller.client)
    assert figures["bluehour_jobs_finished_total", "image", "canceled"] == 1
    assert ("bluehour_jobs_finished_total", "image", "complete") not in figures
    assert figures["bluehour_credits_refunded_total",] == 1


def test_a_reset_forgets_what_is_unfinished_and_no_count(mock: Mock, caller: Caller) -> None:
    caller.create(face())
    caller.client.post("/_mock/reset")
    figures = read(caller.client)
    assert not [name for name, *_ in figures if name == "bluehour_jobs_unfinished"]
    assert figures["bluehour_credits_charged_total",] == 1


def test_many_requests_and_jobs_from_many_threads_are_all_counted() -> None:
    with closing(Mock(settings=Settings(time_scale=0))) as mock:
        app = create_app(mock)

        def work() -> None:
            caller = Caller(app.test_client(), "mhk_test_creator_100000")
            for _ in range(250):
                caller.post(FACE, face())

        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        figures = read(app.test_client())
    assert figures["bluehour_requests_total", "aiFaceEditor.editImage", "2xx"] == 1000
    assert figures["bluehour_jobs_finished_total", "image", "complete"] == 1000
    assert figures["bluehour_credits_charged_total",] == 1000


def test_deliveries_are_counted_by_what_became_of_them(mock: Mock, caller: Caller) -> None:
    with receiving(mock.world.clock.now) as receiver:
        mock.webhooks.register(receiver.url, SECRET, ["image.completed"])
        caller.create(face())
        mock.world.clock.advance(100)
        assert mock.webhooks.settle(60)
    assert read(caller.client)["bluehour_deliveries_total", "delivered"] == 1
    caller.create(face())
    mock.world.clock.advance(100)
    assert mock.webhooks.settle(60)
    assert read(caller.client)["bluehour_queue_depth", "deliveries"] == 1
    mock.world.clock.advance(100_000)
    assert mock.webhooks.settle(60)
    figures = read(caller.client)
    assert figures["bluehour_deliveries_total", "failed"] == 1
    assert figures["bluehour_queue_depth", "deliveries"] == 0


def test_entries_that_made_room_in_the_journal_are_counted() -> None:
    with closing(Mock(settings=Settings(journal=2))) as mock:
        client = create_app(mock).test_client()
        for _ in range(5):
            client.get("/v1/nothing")
        assert read(client)["bluehour_journal_dropped_entries_total",] == 3


def test_two_mocks_of_one_process_have_figures_of_their_own(caller: Caller) -> None:
    caller.create(face())
    with closing(Mock()) as other:
        assert read(create_app(other).test_client())["bluehour_credits_charged_total",] == 0
        assert read(caller.client)["bluehour_credits_charged_total",] == 1


def test_without_the_library_the_answer_says_how_to_add_it(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "find_spec", lambda _: None)
    answer = client.get("/_mock/metrics")
    assert answer.status_code == 501
    assert "pip install" in data(answer)["message"]
    assert "[metrics]" in data(answer)["message"]


def test_the_library_is_not_imported_before_somebody_asks() -> None:
    code = (
        "import sys; from bluehour.mock_server.mock import Mock;"
        "from bluehour.mock_server.app import create_app;"
        "client = create_app(Mock()).test_client(); client.get('/_mock/health');"
        "assert not any(name.startswith('prometheus') for name in sys.modules);"
        "client.get('/_mock/metrics'); assert 'prometheus_client' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_client_reads_them_as_text() -> None:
    with closing(Mock()) as mock, running(mock) as url:
        assert "bluehour_build_info" in Control(url).metrics()


def test_who_may_not_see_the_control_api_sees_no_figures() -> None:
    with closing(Mock(settings=Settings(control_token="sesame"))) as mock:
        client = create_app(mock).test_client()
        assert client.get("/_mock/metrics").status_code == 401
        assert client.get("/_mock/health").status_code == 401
        sesame = {"Authorization": "Bearer sesame"}
        assert client.get("/_mock/metrics", headers=sesame).status_code == 200
