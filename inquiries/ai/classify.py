"""From sentence vectors to a category and a sentiment: softmax heads, courtesy weighting, keywords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from inquiries.ai.engine import SENTIMENTS
from inquiries.ai.heads import SoftmaxHead, Vectors, softmax
from inquiries.ai.keywords import Keywords, haystack
from inquiries.ai.text import fold, words

# Chosen on a development set of our own; `manage.py evaluate` measures them on anybody's.
MATTER_POWER = 4
QUESTION_WEIGHT = 1.5
KEYWORD_POWER = 1.2
POSITIVE_FROM = 0.36
NEGATIVE_FROM = 0.29
# Of what is out of scope: gibberish resembles complaints and laughter praise more than anything.
STRANGE_NEGATIVE_FROM = 0.4
STRANGE_POSITIVE_FROM = 0.5
COMPLAINT_WEIGHT = 0.5
CALM = 0.3  # from an anger of 0.7 on a complaint is one without reserve
COURTEOUS_FROM = 0.5
PRAISE_FROM = 0.5
# The heads know what sets categories apart, the nearest examples what is said in just these words: half and half.
NEIGHBOUR_SHARE = 0.5
NEIGHBOURS = 4
TEXTS_PER_NEIGHBOUR = 20

# Of a hundred inquiries one is less like what was taught; of a hundred texts out of scope seventy-three are.
ABSTAIN_BELOW = 0.43
# A keyword is a sign of its own that a text is within scope.
_KEYWORD_TRUST = 0.3

_THANKS = Keywords(("gracias", "agradec", "agradezco", "obrigad", "thank"))
_CATCH_ALL_WORDS = frozenset(("general", "generales", "otro", "otros", "otra", "otras", "varios", "other"))
_COMPLAINT_STEMS = ("reclam", "queja", "complaint")

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reach:
    """The cosines at which a text is surely outside, and surely within, what was taught."""

    unrelated: float
    related: float

    def known(self, cosines: Vectors) -> Vectors:
        """Rise from 0 to 1 between the two."""
        share = (cosines - self.unrelated) / (self.related - self.unrelated)
        return np.asarray(np.clip(share, 0.0, 1.0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Reading:
    """A text of n >= 1 sentences as every encoder sees it.

    `views` hold one (n, d) array of unit vectors per encoder, `aside` (n,) the probability of being beside the
    matter (a courtesy, or out of scope), `matter` (n,) which sentences say something, `anger` 0..1 how negative the
    text is on the whole.
    """

    sentences: Sequence[str]
    views: Sequence[Vectors]
    aside: Vectors
    matter: npt.NDArray[np.bool_]
    anger: float = 1.0

    @property
    def weights(self) -> Vectors:
        """How much each sentence counts (n,), never quite nothing: courtesies alone lean somewhere too."""
        asks = np.asarray([QUESTION_WEIGHT if "?" in sentence else 1.0 for sentence in self.sentences])
        return np.asarray(asks * (1.0 - self.aside) ** MATTER_POWER + 1e-6, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a text is about. `probabilities` (k,) are calibrated, follow the heads' categories and sum to 1.

    `trust` 0..1 says how far the text is within what was taught, `sentence` is the one that says most,
    `keywords` are words of the text that speak for the winner, `example` the winner's nearest training text
    that may be shown, `only_courtesy` is true for greetings, thanks and signatures without a matter,
    `abstains` where only a person can tell.
    """

    winner: int
    probabilities: Vectors
    trust: float
    sentence: str
    keywords: tuple[str, ...]
    example: str
    only_courtesy: bool = False
    abstains: bool = False


@dataclass(frozen=True, slots=True)
class Mood:
    """A sentiment and its probabilities (3,) in the order of SENTIMENTS."""

    sentiment: str
    probabilities: Vectors


@dataclass(frozen=True)
class MoodModel:
    """Tells sentiment and courtesy of a sentence: one head per encoder for SENTIMENTS and, last, courtesy.

    `polite` (n, d) and `glad` (m, d) are the first encoder's vectors of known courtesies and of known praise.
    """

    heads: tuple[SoftmaxHead, ...]
    polite: Vectors
    glad: Vectors
    reach: Reach

    def opinion(self, views: Sequence[Vectors]) -> Vectors:
        """Return (n, 4) probabilities of the three sentiments and of courtesy."""
        return joint_opinion(self.heads, views)

    def read(self, sentences: Sequence[str], views: Sequence[Vectors], aside: Vectors) -> Reading:
        """Tell matter from courtesy; `aside` (n,) is what the topics' heads think of each sentence.

        The courtesy class also draws praise and whatever is like nothing taught. So a sentence nearer to a
        known praise than to any known courtesy counts, and when every sentence was taken the least courteous
        one does, unless all are near to a known courtesy.
        """
        full = self.opinion(views)
        # Either head may take a courtesy for a matter; both together rarely do.
        aside = np.maximum(aside, full[:, -1])
        polite = (views[0] @ self.polite.T).max(axis=1)
        glad = (views[0] @ self.glad.T).max(axis=1)
        chosen = (aside < COURTEOUS_FROM) | ((full[:, 0] >= PRAISE_FROM) & (glad > polite))
        strange = polite < self.reach.related
        if not chosen.any() and strange.any():
            chosen[int(np.where(strange, aside, np.inf).argmin())] = True
        reading = Reading(sentences, views, aside, np.asarray(chosen, dtype=np.bool_))
        return replace(reading, anger=float(self._mean(reading, full)[SENTIMENTS.index("Negativo")]))

    def _mean(self, reading: Reading, full: Vectors) -> Vectors:
        """Return (3,) the sentiments' weighted mean over the sentences, given their opinions (n, 4)."""
        single = full[:, :-1] / np.maximum(full[:, :-1].sum(axis=1, keepdims=True), 1e-9)
        return np.asarray(reading.weights @ single / reading.weights.sum(), dtype=np.float32)

    def judge(self, reading: Reading, complaint: float | None, *, is_strange: bool = False) -> Mood:
        """Judge a text of at least one sentence; `complaint` is the share of a category of complaints, if any.

        `is_strange` tells that the text is out of scope, so that only clear feelings count.

        A feeling counts half by its weighted mean over the sentences and half by its strongest sentence: one
        angry sentence among polite ones must not drown, nor make a long calm report an angry one.
        """
        full = self.opinion(reading.views)
        single = full[:, :-1] / np.maximum(full[:, :-1].sum(axis=1, keepdims=True), 1e-9)
        mean = self._mean(reading, full)
        if not reading.matter.any():
            return Mood(_mood_of_courtesies(reading.sentences), mean)
        strongest = ((1.0 - reading.aside)[:, None] ** MATTER_POWER * single).max(axis=0)
        positive, _, negative = (0.5 * (mean + strongest)).tolist()
        if complaint is not None:
            negative = (1.0 - COMPLAINT_WEIGHT) * negative + COMPLAINT_WEIGHT * complaint
        if is_strange:
            return Mood(_prevailing(positive >= STRANGE_POSITIVE_FROM, negative >= STRANGE_NEGATIVE_FROM), mean)
        return Mood(_prevailing(positive >= POSITIVE_FROM, negative >= NEGATIVE_FROM), mean)


@dataclass(frozen=True, slots=True)
class Taught:
    """The training texts of k categories: one (n, d) array per encoder, whose they are (n,), and the texts.

    `scales` tell for each encoder which difference of cosines is a clear one. A text that must not be shown to
    anybody else (a customer's) is "".
    """

    views: tuple[Vectors, ...]
    scales: tuple[float, ...]
    owners: Rows
    texts: tuple[str, ...]

    @property
    def vectors(self) -> Vectors:
        """The first encoder's vectors."""
        return self.views[0]

    def opinion(self, views: Sequence[Vectors], categories: int) -> Vectors:
        """Return (n, k): softmax of each category's mean cosine to its NEIGHBOURS nearest texts, over its scale."""
        single = [
            softmax(self._nearness(view @ known.T, categories) / scale)
            for view, known, scale in zip(views, self.views, self.scales, strict=False)
        ]
        return np.asarray(sum(single) / len(single), dtype=np.float32)

    def _nearness(self, similarity: Vectors, categories: int) -> Vectors:
        columns = [similarity[:, self.owners == owner] for owner in range(categories)]
        return np.stack([_mean_of_highest(column) for column in columns], axis=1)

    def nearest(self, similarity: Vectors, owner: int, least: float) -> str:
        """Return the owner's text with the greatest of the cosines (n,); "" below `least` or when hidden."""
        own = np.flatnonzero(self.owners == owner)
        if not len(own) or similarity[own].max() < least:
            return ""
        return self.texts[int(own[similarity[own].argmax()])]


@dataclass(frozen=True)
class TopicModel:
    """Tells what a text is about: one head per encoder for the categories, then courtesy, then out of scope.

    `keywords` hold each category's, `lift` (k,) is added to the logarithms of the shares, `temperature` divides them.
    """

    names: tuple[str, ...]
    keywords: tuple[tuple[str, ...], ...]
    heads: tuple[SoftmaxHead, ...]
    taught: Taught
    reach: Reach
    lift: Vectors
    temperature: float = 1.0

    @cached_property
    def catch_all(self) -> int | None:
        """The category that takes what fits nowhere: the one called "… General" or "Otros", if any."""
        fitting = (i for i, name in enumerate(self.names) if _CATCH_ALL_WORDS.intersection(words(fold(name))))
        return next(fitting, None)

    @cached_property
    def _complaints(self) -> int | None:
        fitting = (i for i, name in enumerate(self.names) if any(stem in fold(name) for stem in _COMPLAINT_STEMS))
        return next(fitting, None)

    @cached_property
    def _keywords(self) -> tuple[Keywords, ...]:
        return tuple(Keywords(keywords) for keywords in self.keywords)

    def aside(self, views: Sequence[Vectors]) -> Vectors:
        """Return (n,) P(courtesy or out of scope), as seen beside these categories."""
        return np.asarray(joint_opinion(self.heads, views)[:, -2:].sum(axis=1), dtype=np.float32)

    def shares(self, reading: Reading) -> Vectors:
        """Return (k,) uncalibrated shares of the categories.

        P(category) = weighted mean over sentences of P(category | sentence), mixed with an even share as far as
        the text is like nothing taught, times (1 + keywords found)^1.5, times the category's lift.
        """
        single = self._single(reading)
        head = reading.weights @ single / reading.weights.sum()
        known = float((self.reach.known(self._nearest(reading)) * (1.0 - reading.aside)).max())
        # Somebody chose the keywords: one counts half even in a sentence that looks like a courtesy.
        hits = (1.0 + np.maximum(1.0 - reading.aside, 0.5) @ self._hits(reading)) ** KEYWORD_POWER
        # A fifth of the head's opinion always stays: something must tell the categories apart.
        scores = (head * (0.2 + 0.8 * known) + 0.8 * (1.0 - known) / len(head)) * hits
        # As far as the text is known: a favour must not decide where nothing else speaks.
        scores = scores * np.exp(self.lift * known)
        if self._complaints is not None:
            # Nobody complains in praise, and hardly anybody in a calm question.
            scores[self._complaints] *= min(1.0, reading.anger + CALM) ** 0.5
        return np.asarray(scores / scores.sum(), dtype=np.float32)

    def complaint(self, shares: Vectors) -> float | None:
        """Return the share of the category of complaints in the shares (k,), if there is one."""
        return None if self._complaints is None else float(shares[self._complaints])

    def judge(self, reading: Reading, shares: Vectors) -> Topic:
        """Judge a text of at least one sentence by its `shares`."""
        trust = self._trust(reading)
        abstains = trust < ABSTAIN_BELOW or not reading.matter.any()
        calibrated = tempered(shares, self.temperature)
        winner = int(calibrated.argmax())
        if abstains and self.catch_all is not None and not self._hits(reading).any():
            winner = self.catch_all
        row = int((reading.weights * self._single(reading)[:, winner]).argmax())
        return Topic(
            winner,
            calibrated,
            trust,
            sentence=reading.sentences[row],
            keywords=_spelled(reading, self._keywords[winner]),
            example=self.taught.nearest(self._similarity(reading)[row], winner, self.reach.unrelated),
            only_courtesy=not reading.matter.any(),
            abstains=abstains,
        )

    def _trust(self, reading: Reading) -> float:
        """Return how far the sentence that is most within scope is so, 0..1.

        Half is what the heads say, half the cosine to the nearest training text; a keyword adds to it.
        """
        within = 1.0 - self.aside(reading.views)
        spoken = self._hits(reading).any(axis=1)
        trust = 0.5 * within + 0.5 * self._nearest(reading) + _KEYWORD_TRUST * within * spoken
        return float(np.clip(trust, 0.0, 1.0).max())

    def _single(self, reading: Reading) -> Vectors:
        """Return (n, k): which category each sentence speaks for."""
        heads = joint_opinion(self.heads, reading.views)[:, : len(self.names)]
        heads = heads / np.maximum(heads.sum(axis=1, keepdims=True), 1e-9)
        near = self.taught.opinion(reading.views, len(self.names))
        return np.asarray((1.0 - NEIGHBOUR_SHARE) * heads + NEIGHBOUR_SHARE * near, dtype=np.float32)

    def _similarity(self, reading: Reading) -> Vectors:
        return np.asarray(reading.views[0] @ self.taught.vectors.T, dtype=np.float32)

    def _nearest(self, reading: Reading) -> Vectors:
        """Return (n,): each sentence's cosine to the nearest training text."""
        similarity = self._similarity(reading)
        return similarity.max(axis=1) if similarity.size else np.zeros(len(similarity), dtype=np.float32)

    def _hits(self, reading: Reading) -> Vectors:
        """Return (n, k): how many of each category's keywords stand in each sentence."""
        folded = [haystack(sentence) for sentence in reading.sentences]
        return np.asarray([[keys.count(text) for keys in self._keywords] for text in folded], dtype=np.float32)


def _mean_of_highest(cosines: Vectors) -> Vectors:
    """Return (n,) the mean of the NEIGHBOURS highest of each row; -1 where there are no columns."""
    if not cosines.shape[1]:
        return np.full(len(cosines), -1.0, dtype=np.float32)
    highest = max(1, min(NEIGHBOURS, cosines.shape[1] // TEXTS_PER_NEIGHBOUR))
    return np.asarray(np.partition(cosines, -highest, axis=1)[:, -highest:].mean(axis=1), dtype=np.float32)


def joint_opinion(heads: Sequence[SoftmaxHead], views: Sequence[Vectors]) -> Vectors:
    """Return the mean (n, k) of the heads' probabilities; a missing view (last ones) gives no opinion."""
    opinions = [head.probabilities(view) for head, view in zip(heads, views, strict=False)]
    return np.asarray(sum(opinions) / len(opinions), dtype=np.float32)


def tempered(shares: Vectors, temperature: float) -> Vectors:
    """Return the shares (k,) with their logarithms divided by the temperature."""
    return np.asarray(softmax(np.log(np.maximum(shares, 1e-12))[None, :] / temperature)[0], dtype=np.float32)


def _prevailing(is_positive: bool, is_negative: bool) -> str:
    # To overlook an angry customer costs more than to take a calm one for angry.
    if is_negative:
        return "Negativo"
    return "Positivo" if is_positive else "Neutral"


def _mood_of_courtesies(sentences: Sequence[str]) -> str:
    """Greetings alone are Neutral, thanks alone Positivo."""
    return "Positivo" if any(_THANKS.count(haystack(sentence)) for sentence in sentences) else "Neutral"


def _spelled(reading: Reading, keywords: Keywords) -> tuple[str, ...]:
    """Return the words of the text that matched, as the customer spelled them, each once, at most three."""
    spelled: dict[str, str] = {}
    for sentence, counts in zip(reading.sentences, reading.matter, strict=True):
        if counts:
            phrases = keywords.matches(sentence)
            spelled.update((fold(phrase), phrase) for phrase in phrases if fold(phrase) not in spelled)
    return tuple(spelled.values())[:3]
