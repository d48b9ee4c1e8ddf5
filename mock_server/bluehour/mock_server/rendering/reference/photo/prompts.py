"""Which words of a prompt the analytic editor can act on, and which it can't: a small vocabulary, honestly.

A word asks for a change of the whole picture: its tone, its colours, its style. Nothing here can add,
remove or move an object: a "hat" is told back as not understood, and so is the "red" of a "red hat".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

Effects = Mapping[str, float]
"""How much of each effect is asked for; 1 is as much as its word says, less than 0 is its opposite."""

OPPOSITES: Final = MappingProxyType(
    {
        "bright": "dark",
        "dark": "bright",
        "night": "bright",
        "sunset": "cold",
        "golden": "cold",
        "warm": "cold",
        "cold": "warm",
        "dramatic": "flat",
        "contrast": "flat",
        "flat": "contrast",
        "fog": "contrast",
        "cinematic": "warm",
        "neon": "muted",
        "red": "teal",
        "orange": "blue",
        "yellow": "purple",
        "green": "pink",
        "teal": "red",
        "blue": "orange",
        "purple": "yellow",
        "pink": "green",
        "black-and-white": "vivid",
        "sepia": "cold",
        "vivid": "muted",
        "muted": "vivid",
        "pastel": "vivid",
        "sketch": "photo",
        "painting": "photo",
        "watercolor": "photo",
        "cartoon": "photo",
        "vintage": "photo",
        "photo": "soft",
        "soft": "sharp",
        "blurred": "sharp",
        "sharp": "soft",
        "hdr": "soft",
    }
)
"""Each effect, and what pulling away from it is."""

_LOOKS: Final[tuple[tuple[str, Effects], ...]] = (
    # Words and phrases that mean the whole picture wherever they stand: style, hour, weather.
    ("night, nighttime, nocturnal, midnight, moonlight, moonlit, starry", {"night": 1}),
    ("sunset, sunrise, dawn", {"sunset": 1}),
    ("dusk, twilight, blue hour", {"night": 0.45, "sunset": 0.35}),
    ("golden hour, sunlit, backlit", {"golden": 1}),
    ("daylight, sunlight, sunshine, sunny, daytime", {"bright": 0.5, "warm": 0.4}),
    ("winter, wintry, snowy, icy, frozen, arctic", {"cold": 1, "bright": 0.25}),
    ("summer, summery", {"warm": 0.6, "bright": 0.4, "vivid": 0.3}),
    ("autumn, autumnal, fall colors, fall colours", {"warm": 0.7, "orange": 0.35}),
    ("fog, foggy, mist, misty, haze, hazy", {"fog": 1}),
    (
        "sketch, sketched, charcoal, line art, in pencil, pencil sketch, pencil drawing, pencil style",
        {"sketch": 1},
    ),
    ("drawing, drawn, ink", {"sketch": 0.9}),
    ("painting, painted, painterly, in oil, oil painting, impressionist, impressionism", {"painting": 1}),
    ("watercolor, watercolour, aquarelle, gouache", {"watercolor": 1}),
    ("watercolor painting, watercolour painting", {"watercolor": 1}),
    ("cartoon, anime, comic, manga, pixar, cel shaded, illustration, animated", {"cartoon": 1}),
    ("vintage, retro, polaroid, analog, faded, nostalgic, old photo, film grain", {"vintage": 1}),
    ("photorealistic, realistic, lifelike, photographic, professional", {"photo": 1}),
    ("sepia", {"sepia": 1}),
    ("black and white, b&w, monochrome, grayscale, greyscale, colorless, colourless", {"black-and-white": 1}),
    ("noir, film noir", {"black-and-white": 1, "contrast": 0.9}),
    ("cinematic", {"cinematic": 1}),
    ("neon, cyberpunk, vaporwave, synthwave", {"neon": 1}),
    ("hdr", {"hdr": 1}),
    ("blur, blurred, blurry, out of focus, unfocused", {"blurred": 1}),
    ("dreamy, dreamlike, ethereal, glowing, glow, hazy glow", {"soft": 1}),
    ("high contrast, contrasty, contrast, punchy", {"contrast": 1}),
    ("low contrast", {"flat": 1}),
    ("high key", {"bright": 1, "flat": 0.4}),
    ("low key", {"dark": 0.8, "contrast": 0.6}),
    ("brighter, lighter, brighten, overexposed, well lit", {"bright": 1}),
    ("darker, darken, dim, underexposed, shadowy, gloomy", {"dark": 1}),
    ("warmer, warmth", {"warm": 1}),
    ("colder, cooler", {"cold": 1}),
    ("sharper, sharpen, sharpened, high resolution, 4k, 8k", {"sharp": 1}),
    ("softer, soften", {"soft": 1}),
    ("colorful, colourful, saturated, vibrant, vivid colors, vivid colours", {"vivid": 1}),
    ("desaturated, washed out, muted colors, muted colours", {"muted": 1}),
    ("greener", {"green": 1}),
    ("redder", {"red": 1}),
    ("bluer", {"blue": 1}),
    ("yellower", {"yellow": 1}),
)

_ADJECTIVES: Final[tuple[tuple[str, Effects], ...]] = (
    # Words that belong to the thing named next, where one is: a "dark suit" doesn't darken the picture.
    ("bright, luminous, airy, radiant", {"bright": 1}),
    ("dark", {"dark": 1}),
    ("warm, cozy, cosy", {"warm": 1}),
    ("cold, cool, chilly, frosty", {"cold": 1}),
    ("golden, gold", {"golden": 1}),
    ("moody, dramatic, stormy", {"dramatic": 1}),
    ("red, crimson, scarlet", {"red": 1}),
    ("orange, amber", {"orange": 1}),
    ("yellow", {"yellow": 1}),
    ("green, emerald", {"green": 1}),
    ("teal, cyan, turquoise, aqua", {"teal": 1}),
    ("blue, azure, navy", {"blue": 1}),
    ("purple, violet, lavender, magenta", {"purple": 1}),
    ("pink, rosy", {"pink": 1}),
    ("vivid, bold", {"vivid": 1}),
    ("muted, pale, subdued", {"muted": 1}),
    ("pastel", {"pastel": 1}),
    ("soft, smooth", {"soft": 1}),
    ("sharp, crisp, detailed", {"sharp": 1}),
    ("gray, grey", {"black-and-white": 0.8}),
    ("old, antique", {"vintage": 0.8}),
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PICTURE_WORDS = _set(
    # What an adjective may stand before and still mean the picture; of themselves they ask for nothing.
    """photo photograph picture image portrait shot scene selfie headshot closeup snapshot person
    tone tones tint tints hue hues color colors colour colours palette light lighting lights lit mood
    atmosphere ambience filter look feel vibe style styled art artwork effect grading grade wash
    focus background day evening morning afternoon hour air weather exposure shadows highlights details
    version everything whole overall quality"""
)
_SMALL_WORDS = _set(
    """a an the of in on at by with and or to for from into as is are be it its it's this that these those i
    my me you your he she his her their they make made turn turned change changed give given add keep same
    please like look looks looking so but than during under over was were being been has have having all
    some then who which just only also still"""
)
_AMOUNTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("very", "extremely", "strongly", "super", "ultra", "intensely", "deep", "deeply"), 1.35
        ),
        **dict.fromkeys(("much", "more", "really", "highly", "strong", "heavy", "rich"), 1.2),
        **dict.fromkeys(("slightly", "subtle", "subtly", "little", "bit", "somewhat", "faint", "mild"), 0.5),
        **dict.fromkeys(("not", "no", "without", "less", "never", "non", "isn't", "don't", "avoid"), -0.7),
    }
)

_MOST = 1.5  # of one effect, however often it is named
_NEGATIVE_SHARE = 0.4  # of what the negative prompt names: "has a minor effect"
_LONGEST = 5_000  # characters of a text that are read
_LONGEST_PHRASE = 3  # words
_MOST_MISSED = 12  # phrases that weren't understood
_LONGEST_MISSED = 40  # characters of such a phrase


def _by_phrase(rows: Iterable[tuple[str, Effects]]) -> dict[tuple[str, ...], Effects]:
    return {tuple(phrase.split()): effects for names, effects in rows for phrase in names.split(", ")}


_LOOK_OF = _by_phrase(_LOOKS)
_ADJECTIVE_OF = _by_phrase(_ADJECTIVES)


@dataclass(frozen=True, slots=True)
class Understanding:
    """What of a text has an effect.

    Attributes:
        words: the words and phrases that were acted on, in their order.
        not_understood: those that could not be: objects, names, actions. Words that ask for nothing
            ("a photo of") are in neither.
        effects: how much of each effect is asked for.
    """

    words: tuple[str, ...]
    not_understood: tuple[str, ...]
    effects: Effects


def understood(prompt: str, description: str = "") -> Understanding:
    """Read a prompt; what the description already says is there, and asks for no change."""
    there = set(_words(description))
    acted, missed = [], []
    effects: dict[str, float] = {}
    for phrase, amount, meaning in _phrases(_words(prompt)):
        if there.issuperset(phrase):
            continue
        if meaning is None:
            missed.append(" ".join(phrase))
            continue
        acted.append(" ".join(phrase))
        for effect, share in meaning.items():
            effects[effect] = effects.get(effect, 0) + share * amount
    limited = {effect: max(-_MOST, min(_MOST, amount)) for effect, amount in effects.items()}
    return Understanding(tuple(acted), tuple(missed), MappingProxyType(limited))


def remark_on(request: Mapping[str, Any]) -> str | None:
    """Say in a sentence what of a PhotoEditorRequest the analytic editor can't do; None where it can all."""
    sent = request.get("style")
    style = sent if isinstance(sent, Mapping) else {}
    prompt, description = (
        text if isinstance(text := style.get(name), str) else "" for name in ("prompt", "image_description")
    )
    missed = list(dict.fromkeys(understood(prompt, description).not_understood))
    if not missed:
        return None
    phrases = [each if len(each) <= _LONGEST_MISSED else f"{each[: _LONGEST_MISSED - 1]}…" for each in missed]
    more = len(phrases) - _MOST_MISSED
    rest = f" and {more} more" if more > 0 else ""
    return (
        "the analytic photo editor changes tone, colour and style only; "
        f"it did not understand: {', '.join(phrases[:_MOST_MISSED])}{rest}"
    )


def wished(prompt: str, negative_prompt: str = "", description: str = "") -> Effects:
    """Return the effects of both prompts: none is below 0, as a negative one is its opposite's.

    What one asks for and the other avoids cancels out, as far as it goes.
    """
    sums = dict(understood(prompt, description).effects)
    for effect, amount in understood(negative_prompt).effects.items():
        sums[effect] = sums.get(effect, 0) - _NEGATIVE_SHARE * amount
    pulls: dict[str, float] = {}  # avoiding "painting, cartoon, sketch" asks for a photo, and not thrice
    for effect, amount in sums.items():
        if amount < 0:
            pulls[OPPOSITES[effect]] = max(pulls.get(OPPOSITES[effect], 0), -amount)
    wanted = {effect: max(0.0, sums.get(effect, 0)) + pulls.get(effect, 0) for effect in {**sums, **pulls}}
    left = {effect: amount - _against(effect, wanted) for effect, amount in wanted.items()}
    return MappingProxyType({effect: min(_MOST, amount) for effect, amount in left.items() if amount > 0})


def _against(effect: str, wanted: Effects) -> float:
    """Return how much of an effect's opposite is wanted, where each is the other's."""
    opposite = OPPOSITES[effect]
    return wanted.get(opposite, 0) if OPPOSITES[opposite] == effect else 0


def kept(description: str) -> frozenset[str]:
    """Return what a description names and a tint then leaves alone: kinds of things, by their hue."""
    words = set(_words(description))
    return frozenset(kind for kind, names in _KEPT.items() if words & names)


_KEPT: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "skin": _set(
            """person people man men woman women boy girl child children baby face portrait selfie headshot
            human astronaut friend couple family skin"""
        ),
        "blue": _set("sky sea ocean lake river water pool blue"),
        "green": _set("grass tree trees forest leaf leaves plant plants garden meadow jungle green"),
        "red": _set("red crimson scarlet"),
        "orange": _set("orange"),
        "yellow": _set("yellow gold golden"),
        "purple": _set("purple violet pink magenta"),
    }
)


def _words(text: str) -> list[str]:
    """Return a text's words in small letters; a comma and the like is a word "," of its own."""
    small = text[:_LONGEST].lower().replace("\u2019", "'").replace("-", " ")
    return [word if word[0].isalnum() else "," for word in re.findall(r"\w[\w'&]*|[.,;:!?()]", small)]


def _phrases(words: list[str]) -> Iterator[tuple[tuple[str, ...], float, Effects | None]]:
    """Yield what a text names, how much of it, and what it means; None where that is unknown here."""
    amount, place = 1.0, 0
    while place < len(words):
        phrase, meaning = _longest(words, place)
        word = words[place]
        if meaning is not None:
            following = words[place + len(phrase) :]
            described = [] if phrase in _LOOK_OF else _thing(following)
            if described:
                yield (*phrase, *described), amount, None
                place += len(phrase) + len(described)
            else:
                yield phrase, amount, meaning
                place += len(phrase)
            amount = 1.0
            continue
        place += 1
        if word in _AMOUNTS:
            # "Much more" and "not very" multiply; "very, very" stays within what an effect can do.
            amount *= _AMOUNTS[word]
        elif word not in _SMALL_WORDS and word != "," and word not in _PICTURE_WORDS:
            yield (word,), amount, None
            amount = 1.0
        elif word == ",":
            amount = 1.0


def _longest(words: list[str], place: int) -> tuple[tuple[str, ...], Effects | None]:
    """Return the longest known phrase at a place, and its meaning; the bare word where none is."""
    for length in range(_LONGEST_PHRASE, 0, -1):
        phrase = tuple(words[place : place + length])
        meaning = _LOOK_OF.get(phrase, _ADJECTIVE_OF.get(phrase))
        if len(phrase) == length and meaning is not None:
            return phrase, meaning
    return (words[place],), None


def _thing(following: list[str]) -> list[str]:
    """Return the word that an adjective describes where that is a thing, and nothing where it's the picture.

    Further adjectives between the two describe the same: of "dark blue suit" all three are the thing.
    """
    thing = []
    for place, word in enumerate(following):
        if word in {"and", "or"} and place == 0 and _longest(following, 1 if len(following) > 1 else 0)[1]:
            return []
        if word in _SMALL_WORDS or word in _PICTURE_WORDS or word == "," or word in _AMOUNTS:
            return []
        thing.append(word)
        phrase, meaning = _longest(following, place)
        if meaning is None:
            return thing
        if phrase in _LOOK_OF:
            return []
    return []
