"""From sentence vectors to a category and a sentiment: softmax heads, courtesy weighting, keywords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inquiries.ai.encoder import Encoder
from inquiries.ai.engine import SENTIMENTS, CategorySpec
from inquiries.ai.heads import SoftmaxHead, Vectors, train_head
from inquiries.ai.keywords import Keywords, haystack
from inquiries.ai.seeds import courtesy_sentences, sentiment_sentences
from inquiries.ai.text import fold, normalise, split_sentences, words

# Chosen on a development set of our own; `manage.py evaluate` measures them on anybody's.
_L2 = 0.03
_KEYWORD_POWER = 1.5
_POSITIVE_FROM = 0.5
_COURTEOUS_FROM = 0.5
_PRAISE_FROM = 0.5

# Below this trust an inquiry is hardly like anything taught: the catch-all category takes it, unless a
# keyword or a clear share speaks for another one. Below the second the share says nothing either.
UNSURE_BELOW = 0.3
_LOST_BELOW = 0.1
_CLEAR_SHARE = 0.7

# Bounds the time of a training when somebody pastes a whole archive into a category.
_MAX_EXAMPLES = 400
_THANKS = Keywords(("gracias", "agradec", "agradezco", "obrigad", "thank"))
_CATCH_ALL_WORDS = frozenset(("general", "generales", "otro", "otros", "otra", "otras", "varios", "other"))


@dataclass(frozen=True, slots=True)
class Reading:
    """A text of n >= 1 sentences: unit vectors (n, d), P(courtesy) (n,), and which say something (n,)."""

    sentences: Sequence[str]
    vectors: Vectors
    courtesy: Vectors
    matter: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Topic:
    """What a text is about. `probabilities` (k,) follow the categories' order and sum to 1.

    `trust` 0..1 says how far the text is like anything taught, `sentence` is the one that says most,
    `keywords` are words of the text that speak for the winner, `example` the winner's nearest training text,
    `only_courtesy` is true for greetings, thanks and signatures without a matter.
    """

    winner: int
    probabilities: Vectors
    trust: float
    sentence: str
    keywords: tuple[str, ...]
    example: str
    only_courtesy: bool = False


@dataclass(frozen=True, slots=True)
class Mood:
    """A sentiment and its probabilities (3,) in the order of SENTIMENTS."""

    sentiment: str
    probabilities: Vectors


class MoodModel:
    """Tells sentiment and courtesy of a sentence; trained on the seeds, so one serves all categories."""

    def __init__(self, encoder: Encoder) -> None:
        groups = [*(sentiment_sentences()[sentiment] for sentiment in SENTIMENTS), courtesy_sentences()]
        labels = [label for label, group in enumerate(groups) for _ in group]
        vectors = encoder.encode([sentence for group in groups for sentence in group])
        self._polite = vectors[np.asarray(labels) == len(SENTIMENTS)]
        self._glad = vectors[np.asarray(labels) == SENTIMENTS.index("Positivo")]
        self._encoder = encoder
        self._head = train_head(vectors, labels, len(groups), l2=_L2)

    def courtesy(self, vectors: Vectors) -> Vectors:
        """Return (n,) P(courtesy) for (n, d) sentence vectors."""
        return self._head.probabilities(vectors)[:, -1]

    def matter(self, vectors: Vectors, courtesy: Vectors) -> npt.NDArray[np.bool_]:
        """Return (n,) which sentences say something; none for a text of courtesies alone.

        The courtesy class also draws praise and whatever is like nothing taught. So a sentence nearer to a
        known praise than to any known courtesy counts, and when every sentence was taken the least courteous
        one does, unless all are near to a known courtesy.
        """
        polite = (vectors @ self._polite.T).max(axis=1)
        glad = (vectors @ self._glad.T).max(axis=1)
        praise = (self._head.probabilities(vectors)[:, 0] >= _PRAISE_FROM) & (glad > polite)
        strange = polite < self._encoder.related
        chosen = (courtesy < _COURTEOUS_FROM) | praise
        if not chosen.any() and strange.any():
            chosen[int(np.where(strange, courtesy, np.inf).argmin())] = True
        return np.asarray(chosen, dtype=np.bool_)

    def read(self, reading: Reading) -> Mood:
        """Judge a text of at least one sentence.

        One angry sentence among polite ones makes an inquiry Negativo; a mean would drown it.
        """
        full = self._head.probabilities(reading.vectors)
        # Among sentences that say something only the three feelings compete; elsewhere courtesy does too.
        rivals = np.where(reading.courtesy < _COURTEOUS_FROM, full[:, :-1].sum(axis=1), 1.0)
        feeling = full[:, :-1] / np.maximum(rivals, 1e-9)[:, None]
        matter = reading.matter
        if not matter.any():
            return Mood(_mood_of_courtesies(reading.sentences), feeling.mean(axis=0))
        return Mood(self._mood_of(feeling[matter].max(axis=0)), feeling[matter].mean(axis=0))

    def _mood_of(self, top: Vectors) -> str:
        positive, _, negative = top
        if negative >= self._encoder.negative_from:
            return "Negativo"
        return "Positivo" if positive >= _POSITIVE_FROM else "Neutral"


class TopicModel:
    """Tells what a text is about, given categories; trained once per state of them."""

    def __init__(self, categories: Sequence[CategorySpec], encoder: Encoder, moods: MoodModel) -> None:
        groups = [_training_texts(category, encoder, moods) for category in categories]
        self._texts = [text for group in groups for text in group]
        self._owners = np.asarray([label for label, group in enumerate(groups) for _ in group], dtype=np.int64)
        self._vectors = encoder.encode(self._texts)
        polite = encoder.encode(courtesy_sentences())
        labels = [*self._owners.tolist(), *[len(groups)] * len(polite)]
        self._head: SoftmaxHead = train_head(
            np.concatenate([self._vectors.reshape(-1, polite.shape[1]), polite]),
            labels,
            len(groups) + 1,
            l2=_L2,
        )
        self._keywords = [Keywords(category.keywords) for category in categories]
        self.catch_all = _catch_all(categories)
        self._encoder = encoder

    def courtesy(self, vectors: Vectors) -> Vectors:
        """Return (n,) P(courtesy), as seen beside these categories."""
        return self._head.probabilities(vectors)[:, -1]

    def read(self, reading: Reading) -> Topic:
        """Judge a text of at least one sentence.

        P(category) = sum over sentences of (1 - P(courtesy))³ * P(category | sentence), mixed with an even
        share as far as the text is like nothing taught, times (1 + keywords found)^1.5; sentences that fit
        the catch-all category best count half.
        """
        evidence = self._evidence(reading)
        counts = np.asarray([self._hits(sentence) for sentence in reading.sentences], dtype=np.float32)
        similarity = reading.vectors @ self._vectors.T
        known = self._known(similarity, reading.courtesy)
        head = evidence.sum(axis=0) / evidence.sum()
        hits = (1.0 + (1.0 - reading.courtesy) @ counts) ** _KEYWORD_POWER
        # A fifth of the head's opinion always stays: something must tell the categories apart.
        scores = (head * (0.2 + 0.8 * known) + 0.8 * (1.0 - known) / len(head)) * hits
        share = np.asarray(scores / scores.sum(), dtype=np.float32)
        spoken = bool(counts.any())
        winner = int(share.argmax())
        if self.catch_all is not None and not spoken and _is_lost(known, float(head.max())):
            winner = self.catch_all
        # A keyword is a sign of its own: a text with one is never wholly out of scope.
        trust = max(known, 0.4 * float((1.0 - reading.courtesy).max())) if spoken else known
        row = int(evidence[:, winner].argmax())
        found = _spelled(reading, self._keywords[winner])
        nearest = self._nearest(similarity[row], winner)
        return Topic(winner, share, trust, reading.sentences[row], found, nearest, not reading.matter.any())

    def _evidence(self, reading: Reading) -> Vectors:
        """Return (n, k): what each sentence says for each category, courtesies nearly silenced."""
        single = self._head.probabilities(reading.vectors)[:, :-1]
        single = single / np.maximum(single.sum(axis=1, keepdims=True), 1e-9)
        # Never quite zero, so that a text of courtesies alone still has a likeliest category.
        weights = (1.0 - reading.courtesy) ** 3 + 1e-6
        if self.catch_all is not None:
            weights = np.where(single.argmax(axis=1) == self.catch_all, 0.5 * weights, weights)
        return np.asarray(weights[:, None] * single, dtype=np.float32)

    def _known(self, similarity: Vectors, courtesy: Vectors) -> float:
        """Rise from 0 to 1 between the encoder's two cosines, for the sentence that says most."""
        nearest = similarity.max(axis=1) if similarity.size else np.zeros(len(courtesy), dtype=np.float32)
        low, high = self._encoder.unrelated, self._encoder.related
        known = np.clip((nearest - low) / (high - low), 0.0, 1.0)
        return float((known * (1.0 - courtesy)).max())

    def _nearest(self, similarity: Vectors, winner: int) -> str:
        own = np.flatnonzero(self._owners == winner)
        if not len(own) or similarity[own].max() < self._encoder.unrelated:
            return ""
        return self._texts[int(own[similarity[own].argmax()])]

    def _hits(self, sentence: str) -> list[int]:
        folded = haystack(sentence)
        return [keywords.count(folded) for keywords in self._keywords]


def _is_lost(known: float, share: float) -> bool:
    return known < _LOST_BELOW or (known < UNSURE_BELOW and share < _CLEAR_SHARE)


def _mood_of_courtesies(sentences: Sequence[str]) -> str:
    """Greetings alone are Neutral, thanks alone Positivo."""
    return "Positivo" if any(_THANKS.count(haystack(sentence)) for sentence in sentences) else "Neutral"


def _catch_all(categories: Sequence[CategorySpec]) -> int | None:
    """Return which category takes what fits nowhere: the one called "… General" or "Otros", if any."""
    for index, category in enumerate(categories):
        if _CATCH_ALL_WORDS.intersection(words(fold(category.name))):
            return index
    return None


def _training_texts(category: CategorySpec, encoder: Encoder, moods: MoodModel) -> list[str]:
    """Return what teaches a category: name, description, and the telling sentences of its examples."""
    examples = (normalise(example) for example in category.examples[:_MAX_EXAMPLES])
    texts = [normalise(category.name), normalise(category.description)]
    for example in examples:
        texts.extend(_telling(example, encoder, moods))
    return list(dict.fromkeys(text for text in texts if text))[: 2 * _MAX_EXAMPLES]


def _telling(example: str, encoder: Encoder, moods: MoodModel) -> list[str]:
    """Return an example without its courtesies: a pasted mail would teach that "Estimados" is a topic."""
    sentences = split_sentences(example)
    if len(sentences) < 2:
        return sentences
    polite = moods.courtesy(encoder.encode(sentences)) >= _COURTEOUS_FROM
    return [sentence for sentence, skip in zip(sentences, polite, strict=True) if not skip] or [example]


def _spelled(reading: Reading, keywords: Keywords) -> tuple[str, ...]:
    """Return the words of the text that matched, as the customer spelled them, each once, at most three."""
    spelled: dict[str, str] = {}
    for sentence, counts in zip(reading.sentences, reading.matter, strict=True):
        if counts:
            phrases = keywords.matches(sentence)
            spelled.update((fold(phrase), phrase) for phrase in phrases if fold(phrase) not in spelled)
    return tuple(spelled.values())[:3]
