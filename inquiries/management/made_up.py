"""Made-up customers and their messages for measurements: as many different words as real mail has. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

# In one inquiry of RARE_EVERY, and in nothing else: what a search for a rare word is measured by.
RARE_WORD = "ornitorrinco"
RARE_EVERY = 50_000
# In every third or so, as the name of the trade is in a real desk.
COMMON_WORD = "pedido"
TAIL = 40_000  # different words that only products and places bring in

FIRST_NAMES = (
    "Ana", "Luis", "Rocío", "Diego", "Carla", "Joaquín", "Marta", "Iván", "Lucía", "Mateo", "Valentina", "Sebastián",
    "María José", "Juan Pablo", "Camila", "Andrés", "Sofía", "Martín", "Daniela", "Nicolás", "Paula", "Felipe",
    "Gabriela", "Tomás", "Elena", "Álvaro", "Inés", "Raúl", "Noelia", "Óscar", "Pilar", "Germán", "Belén", "Hugo",
    "Ximena", "Rubén", "Teresa", "Emilio", "Julieta", "Víctor",
)  # fmt: skip
LAST_NAMES = (
    "Ruiz", "Ospina", "Mamani", "Sosa", "Núñez", "Vera", "Gil", "Paz", "García", "Rodríguez", "Quispe", "Fernández",
    "González", "López", "Martínez", "Pérez", "Gómez", "Sánchez", "Ramírez", "Torres", "Flores", "Rivera", "Acosta",
    "Medina", "Herrera", "Castro", "Vargas", "Rojas", "Molina", "Ortega", "Delgado", "Peña", "Ríos", "Aguirre",
    "Cabrera", "Benítez", "Cárdenas", "Villalba", "Zúñiga", "Ibáñez", "Yáñez", "Muñoz", "Salazar", "Bustamante",
)  # fmt: skip
HOSTS = ("correo.example.com", "example.com", "mail.example.org", "example.net", "empresa.example.com")
GREETINGS = ("Hola.", "Buenas tardes:", "Buen día,", "Estimados:", "Hola, buenas.", "Qué tal,", "", "", "")
CLOSINGS = ("Gracias.", "Quedo atento.", "Saludos cordiales.", "Espero su respuesta.", "¡Muchas gracias!", "", "", "")
SUBJECTS = (
    "Es por el pedido {number}.",
    "Mi número de pedido es {number}.",
    "El pedido {number} es un {thing} de la línea {other}.",
    "Compré un {thing} en la sucursal {other}.",
    "Se trata del contrato {number}, plan {thing}.",
    "Tengo un {thing} y un {other}.",
)
SYLLABLES = tuple(
    consonant + vowel for consonant in ("b", "ch", "d", "f", "l", "m", "n", "r", "t", "v") for vowel in "aeiou"
)
# How many sentences a message has: most are short, one in fifty is a long story.
LENGTHS = (1, 2, 3, 4, 6, 9, 14, 30)
LENGTH_WEIGHTS = tuple(accumulate((24, 28, 20, 12, 9, 4, 2, 1)))


@dataclass(frozen=True, slots=True)
class Customer:
    """Who writes."""

    name: str
    email: str


class Writer:
    """Makes customers and messages; the same `chance` gives the same ones.

    `sentences` holds for each category what its customers say.
    """

    def __init__(self, chance: random.Random, sentences: Sequence[Sequence[str]]) -> None:
        self.chance = chance
        self.sentences = sentences

    def customer(self, population: int) -> Customer:
        """One of so many customers; who writes often is met again."""
        number = int(population * self.chance.random())
        first = FIRST_NAMES[number % len(FIRST_NAMES)]
        last = LAST_NAMES[number // 7 % len(LAST_NAMES)]
        second = LAST_NAMES[number // 53 % len(LAST_NAMES)]
        host = HOSTS[number % len(HOSTS)]
        return Customer(f"{first} {last} {second}", f"cliente.{number}@{host}")

    def message(self, topic: int) -> str:
        """A message on the topic with this place in `sentences`."""
        pick = self.chance.choice
        said = self.sentences[topic]
        length = self.chance.choices(LENGTHS, cum_weights=LENGTH_WEIGHTS)[0]
        parts = [pick(GREETINGS)]
        for _ in range(length):
            sentence = pick(said)
            parts.append(sentence if sentence[-1] in ".!?" else f"{sentence}.")
            if self.chance.random() < 0.3:
                parts.append(self._detail())
        parts.append(pick(CLOSINGS))
        return " ".join(filter(None, parts))

    def _detail(self) -> str:
        return self.chance.choice(SUBJECTS).format(
            number=f"{int(self.chance.random() * 10_000_000):07d}", thing=self._word(), other=self._word().title()
        )

    def _word(self) -> str:
        """A word of the long tail: the first ones often, the last ones hardly ever (Zipf's law)."""
        number = int(TAIL ** self.chance.random()) * 3
        word = SYLLABLES[number % len(SYLLABLES)]
        for place in (number // 50, number // 2_500, number * 7):
            word += SYLLABLES[place % len(SYLLABLES)]
        return word


def draft_for(name: str) -> str:
    """A reply as long as most are."""
    return (
        f"Hola, {name}:\n\nGracias por escribirnos. Revisamos su consulta con el equipo y encontramos el motivo de lo"
        " que nos cuenta. Ya está corregido de nuestro lado, así que le pedimos que lo intente una vez más y nos avise"
        " si vuelve a ocurrir.\n\nQuedamos a su disposición.\n\nSaludos cordiales,\nEquipo de Atención al Cliente"
    )
