from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
from django.conf import settings
from django.utils.translation.template import templatize

PO = Path(settings.LOCALE_PATHS[0]) / "es" / "LC_MESSAGES" / "django.po"
CATALOGUE = polib.pofile(str(PO))
# A text's place among the arguments, after a context where there is one.
CALLS = {"_": 0, "gettext": 0, "gettext_lazy": 0, "gettext_noop": 0, "ngettext": 0, "ngettext_lazy": 0, "pgettext": 1}
CALLS |= {"pgettext_lazy": 1, "npgettext": 1, "npgettext_lazy": 1}
TEMPLATE_CALL = re.compile(
    r"""\b(?:_|[np]*gettext)\((?:u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")\s*,?\s*)+(?:count)?\s*\)"""
)


def test_the_compiled_catalogue_is_that_of_the_source():
    compiled = {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in polib.mofile(str(PO.with_suffix(".mo")))}
    assert compiled == {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in CATALOGUE}


def test_every_text_is_translated():
    assert [entry.msgid for entry in CATALOGUE if not entry.translated() or entry.fuzzy] == []


def test_the_catalogue_holds_the_texts_of_code_and_templates():
    known = {entry.msgid for entry in CATALOGUE}
    found = set(_texts_of_code()) | set(_texts_of_templates())
    assert {"missing": sorted(found - known), "obsolete": sorted(known - found)} == {"missing": [], "obsolete": []}


def test_placeholders_survive_translation():
    lost = [
        text
        for entry in CATALOGUE
        for source, text in [(entry.msgid, entry.msgstr), *_plurals(entry)]
        if text and _placeholders(text) != _placeholders(source)
    ]
    assert lost == []


def _plurals(entry: polib.POEntry) -> list[tuple[str, str]]:
    """Pair each form with the English one that it translates; a singular need not name its number."""
    return [(entry.msgid_plural if form else entry.msgid, text) for form, text in entry.msgstr_plural.items()]


def _placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|\{[a-z]+\}", text))


def _sources(pattern: str) -> Iterator[Path]:
    for folder in ("pok", "inquiries", "templates"):
        yield from (Path(settings.BASE_DIR) / folder).rglob(pattern)


def _texts_of_code() -> Iterator[str]:
    for path in _sources("*.py"):
        yield from _texts(path.read_text(encoding="utf-8"))


def _texts_of_templates() -> Iterator[str]:
    """Yield what Django's own step before xgettext finds, so that the check needs no gettext."""
    for path in _sources("*.html"):
        for call in TEMPLATE_CALL.findall(templatize(path.read_text(encoding="utf-8"), origin=str(path))):
            yield from _texts(call)


def _texts(source: str) -> Iterator[str]:
    """Yield the first text of each call of gettext or a relative, where it is written out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = CALLS.get(name, len(node.args))
            for argument in node.args[place : place + 1]:
                if isinstance(argument, ast.Constant):
                    yield str(argument.value)
