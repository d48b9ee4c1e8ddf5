"""The console at /_mock, used as a client's developer uses it, while an app calls the mock."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Locator, Page, Route, expect

from bluehour import mock_server

from .conftest import Watch
from .running import App, portrait

OpenConsole = Callable[..., Page]

VIEWS = ["#journal", "#rules", "#projects", "#accounts", "#webhooks", "#clock"]
TOO_MANY = {"name": "Too many", "match": {"operation": "aiFaceEditor.editImage"}, "answer": {"status": 429}}
TIMES = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"
HARMFUL = "<img src=x onerror=alert(1)>\"'"


def rows(page: Page) -> Locator:
    return page.locator("#journal-rows tr")


def test_a_call_shows_up_and_the_next_one_is_forced(app: App, open_console: OpenConsole) -> None:
    app.call("POST", "/_mock/rules", {**TOO_MANY, "enabled": False})
    page = open_console()
    expect(page.get_by_role("heading", name="Nothing has called yet")).to_be_visible()

    assert app.edit_face().status == 200
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("200POST/v1/ai-face-editor")
    expect(rows(page)).to_contain_text(f"{MINUS}1")

    switch = page.get_by_role("switch", name="Too many")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")

    assert app.edit_face().status == 429
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("429")
    expect(rows(page).first).to_contain_text("Too many")
    expect(page.locator("#rules")).to_contain_text("fitted 1, acted 1")

    rows(page).first.click()
    expect(page.locator("#entry")).to_contain_text("Forced")
    expect(page.get_by_role("region", name="Request body")).to_contain_text('"mouth_smile": 60')


def test_one_click_forces_the_next_create_alone(app: App, open_console: OpenConsole) -> None:
    page = open_console("#rules")
    page.get_by_role("button", name="429, Retry-After 2").click()
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "true")

    forced = app.edit_face()
    assert (forced.status, forced.headers["Retry-After"]) == (429, "2")
    assert app.edit_face().status == 200
    expect(page.locator("#rules")).to_contain_text("used up")


def test_a_project_shows_its_picture_before_and_after(app: App, open_console: OpenConsole) -> None:
    page = open_console("#projects")
    expect(page.get_by_role("heading", name="No projects yet")).to_be_visible()

    app.edit_face(app.upload(portrait()), name="With a smile")

    project = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="With a smile"))
    expect(project.locator(".tag")).to_have_text("complete")
    pictures = project.get_by_role("img")
    expect(pictures).to_have_count(2)
    for picture in pictures.all():
        expect(picture).not_to_have_js_property("naturalWidth", 0)


def test_an_unfinished_project_is_ended_by_hand(app: App, open_console: OpenConsole) -> None:
    app.call("POST", "/_mock/clock", {"frozen": True})
    app.edit_face()
    page = open_console("#projects")

    page.get_by_label("Job error").select_option("content_policy_violation")
    page.get_by_role("button", name="End in error").click()

    expect(page.locator("#projects .tag")).to_have_text("error")
    expect(page.locator("#projects")).to_contain_text("content_policy_violation: The request violates")


def test_a_faulty_request_is_shown_where_it_is_wrong(app: App, open_console: OpenConsole) -> None:
    page = open_console()
    assert app.edit_face(mouth_smile=61).status == 400
    rows(page).first.click()
    expect(page.locator("#entry .line.faulty")).to_contain_text('"mouth_smile": 61')

    app.edit_face()
    page.get_by_label("Faulty").check()
    expect(rows(page)).to_have_count(1)


def hear_of(page: Page, call: Callable[[], object]) -> None:
    """Make a call, and return when the page has heard of it and has had the time to show it.

    That is longer than it pauses between two reads; were it too short, a fault could only be missed.
    """
    page.evaluate(
        """async () => {
            const { onEntry } = await import("/_mock/static/live.js");
            window.heard = new Promise((done) => onEntry(() => setTimeout(done, 300)));
        }"""
    )
    call()
    page.evaluate("window.heard")


def press(page: Page, goal: Locator) -> None:
    """Press the mouse's button on something, and hold it."""
    goal.hover()
    page.mouse.down()


def test_a_row_that_is_pressed_opens_whatever_comes_before_the_release(
    app: App, open_console: OpenConsole
) -> None:
    page = open_console()
    app.edit_face(name="first")
    expect(rows(page)).to_have_count(1)
    press(page, rows(page))
    hear_of(page, lambda: app.edit_face(name="second"))
    page.mouse.up()
    expect(page.get_by_role("region", name="Request body")).to_contain_text("first")
    expect(rows(page)).to_have_count(2)


def test_a_row_that_is_pressed_opens_though_the_journal_is_read_anew(
    app: App, open_console: OpenConsole
) -> None:
    page = open_console()
    app.edit_face()
    expect(rows(page)).to_have_count(1)
    press(page, rows(page))
    hear_of(page, lambda: read_journal_anew(page, app))
    page.mouse.up()
    expect(page.locator("#entry-heading")).to_have_text(re.compile(r"Request \d+"))


def read_journal_anew(page: Page, app: App) -> None:
    """As after a lost connection; then call."""
    page.evaluate("async () => void (await import('/_mock/static/journal.js')).refresh()")
    app.edit_face()


def test_a_button_that_is_pressed_does_its_work_whatever_comes_before_the_release(
    app: App, open_console: OpenConsole
) -> None:
    app.call("POST", "/_mock/clock", {"frozen": True})
    app.edit_face(name="first")
    page = open_console("#projects")
    cards = page.locator("#projects > li")
    press(page, cards.get_by_role("button", name="Complete"))
    hear_of(page, lambda: app.edit_face(name="second"))
    page.mouse.up()
    expect(cards).to_have_count(2)
    expect(cards.filter(has_text="first").locator(".tag")).to_have_text("complete")


def test_the_row_with_the_focus_keeps_it_when_the_journal_is_read_anew(
    app: App, open_console: OpenConsole
) -> None:
    app.edit_face(name="first")
    app.edit_face(name="second")
    page = open_console()
    rows(page).nth(1).get_by_role("button").focus()
    hear_of(page, lambda: read_journal_anew(page, app))
    expect(rows(page)).to_have_count(3)
    expect(rows(page).last.get_by_role("button")).to_be_focused()


def test_a_journal_that_is_emptied_while_it_is_read_shows_what_came_since(
    app: App, open_console: OpenConsole
) -> None:
    app.edit_face()
    app.edit_face()
    page = open_console()
    expect(rows(page)).to_have_count(2)

    def emptied_meanwhile(route: Route) -> None:
        answer = route.fetch()
        hear_of(page, lambda: [app.call("DELETE", "/_mock/journal"), app.edit_face(mouth_smile=61)])
        route.fulfill(response=answer)

    page.route("**/_mock/journal?*", emptied_meanwhile, times=1)
    page.evaluate("async () => void (await import('/_mock/static/journal.js')).refresh()")
    expect(rows(page)).to_have_text([re.compile("mouth_smile must be")])


def test_the_mouse_is_not_needed(app: App, open_console: OpenConsole) -> None:
    app.call("POST", "/_mock/rules", {**TOO_MANY, "enabled": False})
    app.edit_face(name="first")
    app.edit_face(name="second")
    page = open_console()
    switch = page.get_by_role("switch", name="Too many")
    expect(switch).to_be_visible()
    expect(rows(page)).to_have_count(2)

    tab_to(page, rows(page).first.get_by_role("button"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Request body")).to_contain_text("first")
    expect(page.get_by_role("heading", name=re.compile(r"Request \d+"))).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("region", name="Request body")).to_contain_text("second")
    page.keyboard.press("Escape")
    expect(rows(page).first.get_by_role("button")).to_be_focused()

    tab_to(page, switch)
    page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "true")
    assert app.edit_face().status == 429


def tab_to(page: Page, goal: Locator) -> None:
    """Press Tab until something has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if goal.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"Tab does not lead to {goal}")


def test_a_rule_is_filled_in_or_written_and_refused_where_it_is_made(
    app: App, open_console: OpenConsole
) -> None:
    page = open_console("#rules")
    page.get_by_text("New rule").click()
    form = page.locator("#rule-form")
    form.get_by_label("Which calls").fill("1, 3")
    form.get_by_label("Fault", exact=True).first.check()
    form.get_by_role("combobox", name="Fault").select_option("cut")
    form.get_by_text("Write JSON").click()
    written = form.get_by_label("Rule", exact=True)
    assert json.loads(written.input_value()) == {"match": {"nth": [1, 3]}, "fault": "cut"}

    written.fill('{"fault": "earthquake"}')
    form.get_by_role("button", name="Add rule").click()
    expect(form.get_by_role("alert")).to_contain_text("fault")

    written.fill('{"name": "Cut", "fault": "cut"}')
    form.get_by_role("button", name="Add rule").click()
    expect(page.get_by_role("switch", name="Cut")).to_be_visible()
    assert [one["rule"] for one in app.call("GET", "/_mock/rules").body["rules"]] == [
        {"name": "Cut", "fault": "cut"}
    ]


def test_an_answer_can_be_forced_after_the_request_is_carried_out(
    app: App, open_console: OpenConsole
) -> None:
    page = open_console("#rules")
    page.get_by_text("New rule").click()
    form = page.locator("#rule-form")
    form.get_by_label("Status").fill("500")
    form.get_by_label("After the request is carried out").check()
    form.get_by_role("button", name="Add rule").click()
    expect(page.locator("#rules")).to_contain_text("Answer 500 after it is carried out")
    assert app.edit_face().status == 500
    assert app.call("GET", "/_mock/accounts").body["accounts"][0]["credits"] == 9_999


def test_every_fault_can_be_chosen(open_console: OpenConsole) -> None:
    control = yaml.safe_load(Path(mock_server.__path__[0], "control", "control.yaml").read_text())
    page = open_console("#rules")
    chosen = page.locator("#rule-form [name=fault] option").evaluate_all("all => all.map(one => one.value)")
    assert chosen == control["components"]["schemas"]["Rule"]["properties"]["fault"]["enum"]


def test_credits_are_set_and_the_ledger_says_so(app: App, open_console: OpenConsole) -> None:
    app.edit_face()
    page = open_console("#accounts")
    account = page.locator("#accounts > li")
    expect(account).to_contain_text("9,999 credits")
    account.get_by_label("Credits").fill("0")
    account.get_by_role("button", name="Save").click()
    expect(account).to_contain_text("0 credits")
    account.get_by_text("Ledger").click()
    expect(account.get_by_role("row").nth(1)).to_contain_text(f"{MINUS}9,999")
    assert app.edit_face().status == 402


def test_a_webhook_shows_its_secret_once(app: App, open_console: OpenConsole) -> None:
    page = open_console("#webhooks")
    page.get_by_text("Add a webhook").click()
    page.get_by_role("textbox", name="URL").fill("http://127.0.0.1:9/webhook")
    page.get_by_role("textbox", name="Secret").fill("whsec_a_rather_long_secret")
    page.get_by_role("button", name="Add webhook").click()
    expect(page.get_by_text("whsec_a_rather_long_secret")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("whsec_a_rather_long_secret")).to_have_count(0)

    switch = page.get_by_role("switch", name="http://127.0.0.1:9/webhook")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")


def test_what_was_dropped_is_told_beside_the_deliveries(app: App, open_console: OpenConsole) -> None:
    assert app.call("POST", "/_mock/webhooks", {"url": "http://127.0.0.1:9/webhook"}).status == 201
    page = open_console()
    told: dict[str, object] = {"webhooks": [], "dropped": 12, "forgotten": 1}
    failed: dict[str, object] = {
        "id": "delivery-1",
        "webhook": "webhook-1",
        "url": "http://127.0.0.1:9/",
        "event": "image.started",
        "project": "c1",
        "state": "failed",
        "problem": "given up: nobody has taken it within 24 h",
        "body": "{}",
        "next_at": None,
        "attempts": [],
    }
    page.route("**/_mock/webhooks", lambda route: route.fulfill(json=told))
    page.route("**/_mock/deliveries?*", lambda route: route.fulfill(json={"deliveries": [failed]}))
    page.get_by_role("link", name="Webhooks").click()
    expect(page.get_by_text("12 deliveries were dropped")).to_be_visible()
    expect(page.get_by_text("1 delivery before these")).to_be_visible()
    expect(page.get_by_text("given up: nobody")).to_be_visible()


def test_the_clock_is_stopped_and_advanced(app: App, open_console: OpenConsole) -> None:
    page = open_console("#clock")
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("#clock-state")).to_have_text("frozen")
    page.get_by_role("button", name="+1 day").click()
    expect(page.get_by_text(re.compile("ahead of the system's clock"))).to_be_visible()
    clock = app.call("GET", "/_mock/clock").body
    assert clock["frozen"]
    assert clock["ahead"] == pytest.approx(86400, abs=60)


def test_a_reset_asks_first(app: App, open_console: OpenConsole) -> None:
    app.edit_face()
    page = open_console()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Reset…").click()
    page.get_by_role("button", name="Keep everything").click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Reset…").click()
    page.get_by_role("button", name="Reset the mock").click()
    expect(page.get_by_role("heading", name="Nothing has called yet")).to_be_visible()


def test_polls_in_a_row_are_one_row_until_unfolded(app: App, open_console: OpenConsole) -> None:
    app.call("POST", "/_mock/clock", {"frozen": True})
    project = app.edit_face().body["id"]
    page = open_console()
    for _ in range(3):
        app.call("GET", f"/v1/image-projects/{project}")
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text(f"{TIMES}3")
    page.get_by_label("Fold polls").uncheck()
    expect(rows(page)).to_have_count(4)


def test_a_lost_connection_is_told_and_found_again(app: App, open_console: OpenConsole, watch: Watch) -> None:
    page = open_console()
    page.route("**/_mock/events", lambda route: route.abort())
    page.reload()
    expect(page.locator("#connection")).to_have_text("Reconnecting …")
    app.edit_face()
    page.unroute("**/_mock/events")
    expect(page.locator("#connection")).to_have_text("Live")
    expect(rows(page)).to_have_count(1)
    watch.problems.clear()  # Chromium's own words about it


def test_the_first_request_can_be_sent_from_the_page(open_console: OpenConsole) -> None:
    page = open_console()
    expect(page.get_by_role("region", name="A first request")).to_contain_text("/v1/ai-face-editor")
    page.get_by_role("button", name="Send it now").click()
    expect(rows(page)).to_contain_text("200POST/v1/ai-face-editor")


def test_what_clients_send_is_only_ever_text(app: App, open_console: OpenConsole) -> None:
    app.call("POST", "/_mock/rules", {"name": HARMFUL, "match": {"token": HARMFUL}, "delay": 0})
    app.edit_face(name=HARMFUL)
    app.call("POST", "/v1/ai-face-editor", {HARMFUL: HARMFUL})
    page = open_console("#projects")
    expect(page.get_by_role("heading", name=HARMFUL)).to_be_visible()
    for row in rows(page).all():
        row.click()
        expect(page.get_by_role("region", name="Request body")).to_contain_text(
            "<img src=x onerror=alert(1)>"
        )
    page.goto(page.url.split("#")[0] + "#rules")
    expect(page.get_by_role("heading", name=HARMFUL)).to_be_visible()
    expect(page.locator("img[src=x]")).to_have_count(0)


def test_nothing_is_wider_than_a_phone(app: App, open_console: OpenConsole) -> None:
    app.call("POST", "/_mock/rules", TOO_MANY)
    app.call("POST", "/_mock/webhooks", {"url": f"http://127.0.0.1:9/{'long' * 30}"})
    app.edit_face(name="x" * 200)
    app.call("GET", f"/v1/{'unknown' * 30}")
    page = open_console(viewport={"width": 360, "height": 740})
    expect(rows(page)).to_have_count(2)
    entries = [f"#journal/{row.get_attribute('data-id')}" for row in rows(page).all()]
    for view in [*VIEWS, *entries]:
        page.goto(page.url.split("#")[0] + view)
        expect(page.locator(".view:visible h2")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 360, view


def test_it_is_dark_where_the_system_is(open_console: OpenConsole) -> None:
    page = open_console(color_scheme="dark")
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", colour)[:3])) < 3 * 64


def test_the_reference_loads_too(open_page: OpenConsole, app: App) -> None:
    page = open_page("/docs")
    expect(page.get_by_role("heading", level=1)).to_have_text("Magic Hour")
    page.get_by_role("link", name="Console").click()
    expect(page.locator("#connection")).to_have_text("Live")
