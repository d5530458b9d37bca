"""The name after an opening greeting: an answer that is reused must not greet the next customer by it. Pure."""

from __future__ import annotations

import re

_NAME = r"[A-ZÁÉÍÓÚÜÑÇÃÕ][\w’'-]{1,30}"
_GREETED = re.compile(
    r"^(\s{0,9}(?:¡\s?)?(?i:hola|estimad[oa]s?|querid[oa]s?|apreciad[oa]s?|buen(?:os|as)?\s(?:d[ií]as?|tardes?|noches?)"
    r"|ol[áa]|prezad[oa]s?|bom\sdia|boa\s(?:tarde|noite)|hello|hi|dear)"
    r"(?:[ ,]{1,2}(?i:sra?|srta|dra?|don|do[ñn]a|se[ñn]ora?|mrs?|ms)\b\.?)?[ ,]{1,2})"
    rf"{_NAME}(?: {_NAME}){{0,3}}(?=\s?[,:;.!\n]|$)"
)


def hide_greeted(answer: str) -> str:
    """Return the answer with [nombre] in place of the name that its first words address, if they address one.

    Capitals tell a name from "Hola a todos".
    """
    return _GREETED.sub(r"\1[nombre]", answer, count=1)
