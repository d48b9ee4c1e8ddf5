"""The feed of events: each reader gets all of them in order, or knows how many it has missed."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.mock_server.console import feed as events
from bluehour.mock_server.console.feed import Feed

steps = st.lists(st.tuples(st.sampled_from(["tell", "read", "other"]), st.integers(1, 12)), max_size=40)


@given(steps)
def test_a_reader_gets_every_event_or_is_told_how_many_it_missed(steps: list[tuple[str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "_MOST_KEPT", 10)
        patch.setattr(events, "_MOST_AT_ONCE", 4)
        asyncio.run(_read(steps))


async def _read(steps: list[tuple[str, int]]) -> None:
    feed = Feed(lambda number: {})
    feed.publish("nobody hears it")
    reader, other = feed.listen(), feed.listen()
    told, seen = 0, 0
    for what, number in [*steps, ("read", 100)]:
        if what == "tell":
            for _ in range(number):
                feed.publish(f"{told}")
                told += 1
            await asyncio.sleep(0)
            continue
        for _ in range(number):
            found = await (reader if what == "read" else other).next(0.001 if seen < told else 0)
            if found is None:
                break
            if what == "read":
                missed, got = found
                seen += missed
                for event in got:
                    assert event.text == b'event: changed\ndata: "%d"\n\n' % seen
                    seen += 1
    assert seen == told
    assert len(feed._kept) <= 10
    feed.leave(reader)
    feed.leave(other)
    assert not feed._kept
