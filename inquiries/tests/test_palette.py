"""The ten palette classes of `pok.css` are readable: WCAG 2.2, 1.4.3, asks for a contrast of 4.5 to 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from inquiries.models.category import Colour

CSS = Path(settings.BASE_DIR, "static/css/pok.css").read_text()
THEMES = dict(re.findall(r'\[data-bs-theme="(light|dark)"\] \{(.*?)\n\}', CSS, re.DOTALL))


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", Colour.values)
def test_each_palette_colour_is_readable(theme, name):
    background, text = (re.search(rf"--{name}-{part}: (#\w{{6}})", THEMES[theme])[1] for part in ("bg", "fg"))
    assert contrast(background, text) >= 4.5
    assert f".cat-{name} {{" in CSS


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("surface", ["page", "surface", "sunken"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent"])
def test_text_is_readable_on_every_surface(theme, surface, ink):
    colours = dict(re.findall(r"--pok-([\w-]+): (#\w{6})", THEMES[theme]))
    assert contrast(colours[surface], colours[ink]) >= 4.5
