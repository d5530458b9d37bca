"""Finds links, e-mail addresses and telephone numbers in a draft, and cuts those that the company has not given.

Links and addresses are compared whole: a host that only begins or ends like the company's is another host.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from urllib.parse import urlsplit

from inquiries.ai.telephones import SPELLED_NUMBER, TELEPHONE, Telephones, spelled_digits
from inquiries.ai.text import word_set

# Stands where something was cut, until the sentence is mended. Private use: no draft brings its own.
CUT = "\ue000"
_KEPT_FROM = 0xF0000
_KEPT_TO = 0xFFFFD

# Endings that phishing and shops use. An ending that is not here counts as a link with "www." or a path only:
# "hola.gracias" is a missing blank. Two letters: the countries (IANA's root zone).
_GENERIC = word_set(
    """com net org info biz app dev xyz top site online shop store club live link click vip win icu pro cloud tech
    work space fun website life world today news email help support chat social page blog web one ltd group agency
    bank money cash loan loans finance credit pay fund gift promo deals sale buy cheap market tools digital
    services solutions center systems company business global network media zone host mobi name tel travel cat
    lat gob edu gov mil int aero coop museum jobs post asia kim men date review trade party science download racing
    stream bid monster quest cyou sbs cfd bond rest hair beauty makeup skin lol pics autos boats homes baby example
    test invalid onion eus gal barcelona"""
)
_COUNTRIES = word_set(
    """ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca
    cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr
    ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo
    jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr
    ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re
    ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr
    tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"""
)

_END = r"[^\s<>\"“”«»`\ue000\U000f0000-\U000ffffd]"
_DOT = r"(?:[.。．｡]|\s?[\[({]\s?(?:\.|dot|punto|ponto)\s?[\])}]\s?)"
_SPOKEN_DOT = r"(?:\s(?:punto|ponto|dot)\s|\s\.\s?(?=(?:com|net|org|info)\b))"
_SPOKEN_TLD = r"(?:com|net|org|info|biz|io|app|shop|top|xyz|online|site|store|club|link|live|example)"
_LABEL = r"[^\W_][\w-]{0,62}"
_SPOKEN = (
    rf"{_LABEL}(?:(?:{_DOT}|{_SPOKEN_DOT}){_LABEL}){{0,4}}{_SPOKEN_DOT}{_SPOKEN_TLD}\b"
    rf"(?:{_SPOKEN_DOT}[a-z]{{2}}\b)?(?:\s(?:barra|slash)\s\S{{1,60}}){{0,4}}"
)
_LOCAL = r"[\w.!#$%&'*+^~-]"

_HTML = re.compile(
    r"</?(?:a|img|script|style|iframe|object|embed|form|input|button|svg|link|meta|base|video|audio)\b[^<>]*>",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(
    r"(?P<image>!?)\[(?P<label>[^\[\]]{0,300})\]\(\s{0,3}<?(?P<url>[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*){0,3})>?"
    r"(?:\s{1,3}[\"'(][^\n)]{0,200})?\s{0,3}\)"
)
_SCHEMED = re.compile(
    rf"(?<![a-z0-9+.-])(?:(?:h[tx]{{2}}ps?)\s?(?::|\[:\])[/\\]{{0,3}}\s?|[a-z][a-z0-9+.-]{{1,20}}://\s?"
    rf"|(?:javascript|vbscript)\s?:|data:(?=[a-z]+/)){_END}+",
    re.IGNORECASE,
)
_MAILTO = re.compile(rf"(?<!\w)mailto:{_END}+", re.IGNORECASE)
_EMAIL = re.compile(
    rf"(?<!{_LOCAL}){_LOCAL}++(?:[@＠]|\s[@＠]\s|\s?[\[({{]\s?(?:arroba|at|@)\s?[\])}}]\s?|\sarroba\s)"
    rf"(?:\[[\d.:a-f]+\]|{_SPOKEN}|{_LABEL}(?:{_DOT}{_LABEL})+)"
    rf"|(?<!{_LOCAL}){_LOCAL}++\sat\s{_SPOKEN}",
    re.IGNORECASE,
)
_SPOKEN_LINK = re.compile(rf"(?<!\w){_SPOKEN}", re.IGNORECASE)
_BARE = re.compile(
    rf"(?<!\w)(?://|\\\\)?(?P<host>(?:{_LABEL}{_DOT}){{1,8}}(?P<end>xn--[a-z0-9-]{{2,59}}|[^\W\d_]{{2,24}}))(?![\w@])\.?"
    rf"(?P<rest>(?::\d{{1,5}})?(?:[/?#\\]{_END}*)?)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(rf"(?<![\w.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?::\d{{1,5}}|/){_END}*")
_HANDLE = re.compile(r"(?<![\w@./])@(?=[\w.]{0,30}[^\W\d])\w[\w.]{2,30}")


class Contact(StrEnum):
    """What was cut."""

    LINK = "link"
    EMAIL = "email"
    PHONE = "phone"


def cut_contacts(draft: str, allowed: str) -> tuple[str, frozenset[Contact]]:
    """Return the draft with CUT in the place of every contact that does not stand in `allowed`, and what was cut.

    The draft has been through `plain_letters`.
    """
    given = _Given(plain_letters(allowed))
    return _Cutter(given).cut(draft)


def plain_letters(text: str) -> str:
    """Return the text in NFC, disguised Latin letters plain, without invisible and private-use characters.

    The joiners inside an emoji stay; between letters they only hide a link.
    """
    text = re.sub(r"(?<=[\x00-\u024f])\u200d|\u200d(?=[\x00-\u024f])", "", unicodedata.normalize("NFC", text))
    return "".join(_plain(char) for char in text)


def _plain(char: str) -> str:
    if char.isascii() or char == "\u200d":
        return char
    if unicodedata.category(char) in {"Cf", "Co", "Cs"}:
        return ""
    if "\uff01" <= char <= "\uff5e" or "\u24b6" <= char <= "\u24e9" or "\U0001d400" <= char <= "\U0001d7ff":
        return unicodedata.normalize("NFKC", char)
    return str(unicodedata.digit(char)) if char.isdecimal() else char


class _Given:
    """The contacts that stand in the company's facts."""

    def __init__(self, facts: str) -> None:
        found = [hit[0] for pattern in (_SCHEMED, _SPOKEN_LINK, _ADDRESS) for hit in pattern.finditer(facts)]
        bare = [hit[0] for hit in _BARE.finditer(_EMAIL.sub(" ", facts)) if _is_domain(hit)]
        self.links = {key for key in map(_link_key, (*found, *bare)) if key}
        # The front page of a site whose pages are given says nothing new.
        self.links |= {key.partition("/")[0] for key in self.links}
        self.emails = {_email_key(hit[0]) for hit in _EMAIL.finditer(facts)}
        self.handles = {hit[0].casefold().rstrip(".") for hit in _HANDLE.finditer(facts)}
        self.telephones = Telephones(facts)

    def has_link(self, raw: str) -> bool:
        key = _link_key(raw)
        return bool(key) and key in self.links


class _Cutter:
    """One pass over one draft. What may stay is put aside, so that a later pattern does not read half of it."""

    def __init__(self, given: _Given) -> None:
        self._given = given
        self._kept: list[str] = []
        self._cut: set[Contact] = set()

    def cut(self, draft: str) -> tuple[str, frozenset[Contact]]:
        for pattern, decide in self._passes():
            draft = pattern.sub(decide, draft)
        restored = re.sub("[\U000f0000-\U000ffffd]", lambda mark: self._kept[ord(mark[0]) - _KEPT_FROM], draft)
        return restored, frozenset(self._cut)

    def _passes(self) -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]:
        return (
            (_HTML, lambda _: self._gone(Contact.LINK)),
            (_MARKDOWN, self._markdown),
            (_SCHEMED, self._link),
            (_MAILTO, self._mailto),
            (_EMAIL, self._email),
            (_SPOKEN_LINK, self._link),
            (_ADDRESS, self._link),
            (_BARE, lambda found: self._link(found) if _is_domain(found) else found[0]),
            (_HANDLE, self._handle),
            (TELEPHONE, self._telephone),
            (SPELLED_NUMBER, self._spelled),
        )

    def _gone(self, contact: Contact) -> str:
        self._cut.add(contact)
        return CUT

    def _keep(self, text: str) -> str:
        if _KEPT_FROM + len(self._kept) > _KEPT_TO:
            return CUT
        self._kept.append(text)
        return chr(_KEPT_FROM + len(self._kept) - 1)

    def _markdown(self, found: re.Match[str]) -> str:
        target = found["url"]
        if self._given.has_link(target):
            return f"{found['image']}[{found['label']}]({self._keep(target)})"
        if target.lower().startswith("mailto:") and self._is_given_mailto(target):
            return f"[{found['label']}]({self._keep(target)})"
        if target.lower().startswith("tel:") and self._given.telephones.has(target):
            return f"[{found['label']}]({self._keep(target)})"
        mark = self._gone(_kind_of(target))
        return mark if found["image"] else found["label"] or mark

    def _link(self, found: re.Match[str]) -> str:
        raw, tail = _without_tail(found[0])
        return (self._keep(raw) if self._given.has_link(raw) else self._gone(Contact.LINK)) + tail

    def _is_given_mailto(self, raw: str) -> bool:
        return _email_key(raw[len("mailto:") :]) in self._given.emails

    def _mailto(self, found: re.Match[str]) -> str:
        raw, tail = _without_tail(found[0])
        return (self._keep(raw) if self._is_given_mailto(raw) else self._gone(Contact.EMAIL)) + tail

    def _email(self, found: re.Match[str]) -> str:
        return self._keep(found[0]) if _email_key(found[0]) in self._given.emails else self._gone(Contact.EMAIL)

    def _handle(self, found: re.Match[str]) -> str:
        raw = found[0].rstrip(".")
        known = raw.casefold() in self._given.handles
        return (self._keep(raw) if known else self._gone(Contact.LINK)) + found[0][len(raw) :]

    def _telephone(self, found: re.Match[str]) -> str:
        if self._given.telephones.has(found[0]) or not self._given.telephones.is_telephone(found):
            return found[0]
        return self._gone(Contact.PHONE)

    def _spelled(self, found: re.Match[str]) -> str:
        known = self._given.telephones.has(spelled_digits(found[0]))
        return found[0] if known else self._gone(Contact.PHONE)


def _kind_of(target: str) -> Contact:
    scheme = target.lower().partition(":")[0]
    return {"mailto": Contact.EMAIL, "tel": Contact.PHONE, "sms": Contact.PHONE}.get(scheme, Contact.LINK)


def _without_tail(raw: str) -> tuple[str, str]:
    """Split a found link from the punctuation of the sentence around it."""
    bare = raw
    while bare and (bare[-1] in ".,;:!?…'*_|]}" or (bare[-1] == ")" and bare.count(")") > bare.count("("))):
        bare = bare[:-1]
    return bare, raw[len(bare) :]


def _is_domain(found: re.Match[str]) -> bool:
    """Tell a bare domain from a missing blank, an abbreviation ("p. m."), an ordinal ("2.do") or a file name."""
    end, rest = found["end"], found["rest"]
    labels = re.split(_DOT, found["host"], flags=re.IGNORECASE)[:-1]
    if all(label.isdigit() for label in labels):
        return rest.startswith("/") and len(max(labels, key=len)) > 2
    if rest.startswith(("/", ":", "\\")) or labels[0].lower() == "www" or end.lower().startswith("xn--"):
        return True
    if not (end.islower() or found["host"].isupper()):
        return False  # "Listo.Es" begins a sentence
    if len(labels[-1]) == 1 and end.lower() not in {"com", "co", "me"}:
        return False
    return end.lower() in _GENERIC or end.lower() in _COUNTRIES


def _spoken_to_written(text: str) -> str:
    text = re.sub(rf"{_SPOKEN_DOT}|{_DOT}", ".", text, flags=re.IGNORECASE)
    text = re.sub(r"\s(?:barra|slash)\s", "/", text, flags=re.IGNORECASE)
    return re.sub(r"\s?[\[({]?\s?(?:\barroba\b|\bat\b|@|＠)\s?[\])}]?\s?", "@", text, flags=re.IGNORECASE)


def _email_key(raw: str) -> str:
    return _spoken_to_written(raw).casefold().strip(".'*_~")


def _link_key(raw: str) -> str:
    """Return host and path for comparing; "" for a link that no facts can vouch for.

    Case counts in the path alone (RFC 3986, 6.2.2.1); "www.", the default port and a slash at the end do not.
    Userinfo and backslashes are refused: readers and browsers disagree on the host behind them.
    """
    raw = _without_tail(raw.strip())[0]
    scheme, colon, rest = raw.partition("://")
    if not colon:
        scheme, rest = "http", raw.removeprefix("//")
    if scheme.lower() not in {"http", "https"}:
        return raw.lower() if re.fullmatch(r"[a-z][a-z0-9+.-]+", scheme.lower()) and "\\" not in raw else ""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority or "\\" in rest or "%" in authority:
        return ""
    return _host_and_path(_spoken_to_written(authority) + rest[len(authority) :])


def _host_and_path(rest: str) -> str:
    try:
        parts = urlsplit(f"//{rest}")
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    if not host:
        return ""
    port_part = "" if port in {None, 80, 443} else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{host}{port_part}{parts.path.rstrip('/')}{query}{fragment}"
