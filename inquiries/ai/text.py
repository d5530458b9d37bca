"""Customer text made ready for reading: cleaned, cut into sentences, folded, its language guessed. Pure."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARS = 4_000
MAX_SENTENCE_CHARS = 400
MAX_SENTENCES = 25


def word_set(text: str) -> frozenset[str]:
    """Return the words of a blank-separated list."""
    return frozenset(text.split())


# Far more than MAX_CHARS, because quotes are cut before the text is; still small enough to bound the work.
_MAX_RAW_CHARS = 40_000

# Mail programs put the line "El <date>, <who> escribió:" (or its translation) over the mail that they quote.
# A digit is asked for, so that "El técnico me escribió:" stays; Gmail breaks the line in two when it is long.
_QUOTE_HEADER = re.compile(
    r"^[ \t]*(?:El|On|Em)\b(?=[^\n]{0,100}\d)[^\n]{0,200}(?:\n[^\n]{0,200})?"
    r"\b(?:escribi[óo]|wrote|escreveu):[ \t]*$",
    re.MULTILINE,
)
_FORWARD_HEADER = re.compile(
    r"^[ \t]*-{2,}[ \t]*(?:Mensaje original|Mensaje reenviado|Original Message|Mensagem original)[ \t]*-{2,}",
    re.MULTILINE | re.IGNORECASE,
)
# RFC 3676, 4.3: a signature is separated by "-- " alone on a line; many programs lose the trailing space.
_SIGNATURE = re.compile(r"^--[ \t]?$", re.MULTILINE)
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_BLANK_RUN = re.compile(r"[^\S\n]+")
_LINE_RUN = re.compile(r"\n\s*\n+")

_SENTENCE_END = re.compile(r"(?<=[.!?:…])[\"'»”)]*\s+|\n+|(?<=[。！？؟])")
# Hurried writers put no stop between the matter and the courtesies around it: "hola no anda nada gracias".
_GREETING = re.compile(
    r"(?:(?:hola+|holis|muy|buenas|tardes|noches|buenos d[ií]as|buen d[ií]a|ol[áa]|bom dia"
    r"|boa (?:tarde|noite)|hello|hi|good (?:morning|afternoon|evening))\b[\s,!.]*)+",
    re.IGNORECASE,
)
_FAREWELL = re.compile(
    r"(?:^|\s)(?:(?:much[ao]s|mil|much[ií]simas)\s+)?(?:gracias|desde ya|de antemano|saludos|un saludo|agradeciendo"
    r"|agradezco|quedo (?:atent[oa]|pendiente|a la espera)|(?:muito )?obrigad[oa]|thanks|thank you)\b"
    r"|\s(?:por favor |porfa |xfa )?ayud(?:a|en|enme|arme)(?: por favor| porfa| xfa)\b"
    r"|\s(?:por favor|porfa|xfa) ayud(?:a|en|enme)\b|(?<=\w)\s(?=[¿¡])",
    re.IGNORECASE,
)
# "dar las gracias", "y gracias", "les agradezco": here the thanks belong to what stands before them.
_BOUND_TO_NEXT = word_set("las dar doy y e les le de muy but and")
_ABBREVIATION = re.compile(
    r"(?:^|\W)(?:sra?s?|dra?|ing|lic|ud[s]?|vd[s]?|nro|n[úu]m|art|av|tel|aprox|p[áa]g|ref|mr|mrs|[a-z])\.$",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")

_STOP_WORDS = {
    "es": word_set(
        """el la los las un una unos y o de del al en con por para que no se su sus lo le les mi me te es son
        esta este esto estoy está están hola gracias quiero quisiera necesito tengo tienen puedo pueden como
        cómo cuál cual cuánto cuando dónde donde qué muy pero ya hay fue han nos ustedes usted favor desde
        hace hacer buenas buenos tardes días más si también porque nadie nunca"""
    ),
    "pt": word_set(
        """o os as um uma uns e do da dos das no na nos nas em com por para que não se seu sua meu minha me é
        são está este isso estou olá obrigado obrigada quero gostaria preciso tenho têm posso podem como qual
        quanto quando onde muito mas já há foi foram vocês você desde faz fazer boa bom tarde dia mais também
        porque ninguém nunca pelo pela ao à até eu ele ela isto aqui vou ser"""
    ),
    "en": word_set(
        """the a an and or of to in on with by for that not is are was were this it i you we they my your our
        me hello hi thanks thank please want would like need have has can could how what when where which very
        but already there do does did don't can't from been be so because nobody never if any at as will"""
    ),
}
# Letters that one of the languages has and the others lack tell more than a common word does.
_TELLTALE = {"es": re.compile(r"[ñ¿¡]"), "pt": re.compile(r"[ãõçêô]|nh|lh")}


def clean(text: str) -> str:
    """Return the text in NFC without control, format, private-use and lone surrogate characters.

    Line breaks of every kind become a newline, a tab a blank.
    """
    text = text[:_MAX_RAW_CHARS].replace("\r\n", "\n")
    text = re.sub(r"[\r\u2028\u2029\x0b\x0c\x85]", "\n", text).replace("\t", " ")
    # Every category C* goes: U+0000 ends C strings, lone surrogates cannot be encoded, the rest is invisible.
    kept = "".join(char for char in text if char == "\n" or unicodedata.category(char)[0] != "C")
    return unicodedata.normalize("NFC", kept)


def normalise(text: str) -> str:
    """Return what the customer wrote now: clean, without quoted mails and signature, at most MAX_CHARS long.

    When nothing would be left (a mail that is only a quotation), the clean text is returned uncut.
    """
    whole = clean(text)
    own = whole
    for mark in (_QUOTE_HEADER, _FORWARD_HEADER, _SIGNATURE):
        found = mark.search(own)
        own = own[: found.start()] if found else own
    own = _QUOTED_LINE.sub("", own)
    chosen = own if own.strip() else whole
    return _LINE_RUN.sub("\n\n", _BLANK_RUN.sub(" ", chosen)).strip()[:MAX_CHARS].strip()


def split_sentences(text: str) -> list[str]:
    """Return the sentences in order: at most MAX_SENTENCES, each at most MAX_SENTENCE_CHARS, never empty.

    Pieces without a letter or a digit (emoji, rulers) are dropped.
    """
    sentences: list[str] = []
    for piece in _pieces(text):
        for part in (part for clause in _clauses(piece) for part in _chop(clause)):
            if any(char.isalnum() for char in part):
                sentences.append(part)
            if len(sentences) == MAX_SENTENCES:
                return sentences
    return sentences


def fold(text: str) -> str:
    """Return the text for comparing: without case and accents ("Avión" -> "avion")."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """Return the runs of letters, digits and underscores in order."""
    return _WORD.findall(text)


def detect_language(text: str) -> str:
    """Return "es", "pt" or "en" by counting common words; "es" when nothing speaks for another."""
    lowered = text.casefold()
    tokens = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", lowered)
    scores = {lang: sum(token in known for token in tokens) for lang, known in _STOP_WORDS.items()}
    for lang, telltale in _TELLTALE.items():
        scores[lang] += 2 * min(len(telltale.findall(lowered)), 3)
    best = max(scores, key=lambda lang: scores[lang])
    return best if scores[best] > scores["es"] else "es"


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters, cut between words and marked with "…" where something is missing."""
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    head = flat[: limit - 1]
    at_blank = head.rpartition(" ")[0] if flat[limit - 1] != " " else head
    # One word longer than half the room (a link, a key) is cut inside rather than dropped.
    kept = at_blank if len(at_blank) >= limit // 2 else head
    return kept.rstrip(" ,;:.-–(«\"'") + "…"


def _pieces(text: str) -> list[str]:
    """Split at sentence ends and line breaks, except after an abbreviation or an initial."""
    pieces: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        piece = text[start : end.start()]
        if "\n" not in end.group() and _ABBREVIATION.search(piece[-12:]):
            continue
        pieces.append(piece.strip())
        start = end.end()
    pieces.append(text[start:].strip())
    return [piece for piece in pieces if piece]


def _clauses(piece: str) -> list[str]:
    """Cut greetings off the start and farewells off the rest of a piece."""
    greeting = _GREETING.match(piece)
    start = greeting.end() if greeting and len(words(piece[greeting.end() :])) > 2 else 0
    cuts = [start]
    for farewell in _FAREWELL.finditer(piece, start):
        before = words(piece[cuts[-1] : farewell.start()])
        if before and before[-1].lower() not in _BOUND_TO_NEXT:
            cuts.append(farewell.start())
    parts = [piece[:start], *(piece[a:b] for a, b in zip(cuts, [*cuts[1:], len(piece)], strict=True))]
    return [part.strip() for part in parts if part.strip()]


def _chop(piece: str) -> list[str]:
    """Cut a piece into parts of at most MAX_SENTENCE_CHARS, between words where it has any."""
    parts: list[str] = []
    while len(piece) > MAX_SENTENCE_CHARS:
        cut = piece.rfind(" ", MAX_SENTENCE_CHARS // 2, MAX_SENTENCE_CHARS)
        cut = cut if cut > 0 else MAX_SENTENCE_CHARS
        parts.append(piece[:cut].strip())
        piece = piece[cut:].strip()
    return [*parts, piece]
