from __future__ import annotations

import re
from pathlib import Path

import polib
from django.conf import settings

PO = Path(settings.LOCALE_PATHS[0]) / "es" / "LC_MESSAGES" / "django.po"
CATALOGUE = polib.pofile(str(PO))


def test_the_compiled_catalogue_is_that_of_the_source():
    compiled = {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in polib.mofile(str(PO.with_suffix(".mo")))}
    assert compiled == {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in CATALOGUE}


def test_every_text_is_translated():
    assert [entry.msgid for entry in CATALOGUE if not entry.translated() or entry.fuzzy] == []


def test_placeholders_survive_translation():
    def placeholders(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)[sd]|\{[a-z]+\}", text))

    lost = [
        text
        for entry in CATALOGUE
        for text in filter(None, [entry.msgstr, *entry.msgstr_plural.values()])
        if placeholders(text) != placeholders(entry.msgid)
    ]
    assert lost == []
