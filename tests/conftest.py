"""What holds for every test here: how hypothesis looks for examples, and how long it may take."""

from __future__ import annotations

from hypothesis import settings

# No example has a deadline: how long one takes says more about the machine than about the code. All else is
# hypothesis' own profile, which is another one where CI is set.
settings.register_profile("bluehour", settings.default, deadline=None)
settings.load_profile("bluehour")
