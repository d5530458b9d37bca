"""The engine that needs nothing: offline, in process, no key. Learns from examples, keywords and corrections."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inquiries.ai.classify import MATTER_POWER, Mood, Topic
from inquiries.ai.encoder import Encoder, shared_encoders
from inquiries.ai.engine import (
    SENTIMENTS,
    AIError,
    AnalysisRequest,
    AnalysisResult,
    CategorySpec,
    ErrorKind,
    LabelledText,
)
from inquiries.ai.heads import Vectors
from inquiries.ai.memory import Lru, RememberingEncoder
from inquiries.ai.templates import Draft, draft_reply
from inquiries.ai.text import detect_language, normalise, shorten, split_sentences
from inquiries.ai.trained import VERSION, TrainedHeads, TrainingReport, category_fingerprint, training_fingerprint
from inquiries.ai.training import MAX_EXAMPLES, read, train, training_texts

__all__ = ["EmbeddedEngine", "LabelledText", "TrainedHeads", "TrainingReport", "training_fingerprint"]

# An edit in the middle of a batch leaves two states of the categories in use for a moment.
_KEPT_MODELS = 4
# Who waits for an answer waits for no more than this: an encoder with more to read joins at the next training, and
# the first one reads so many sentences of each kind.
_UNKNOWN_AT_ONCE = 40
_EXAMPLES_AT_ONCE = 60


class EmbeddedEngine:
    """Reads an inquiry with sentence encoders, softmax heads and keywords, and answers from templates.

    Encoders are loaded on first use (`warm_up` does it beforehand) and shared by all threads. `load` gives it heads
    that were trained before; for other categories it trains rough ones on the spot. Give an encoder to use another
    one than the process's own, and a folder to remember the vectors of training sentences from start to start.
    """

    name = "embedded"

    def __init__(self, encoder: Encoder | None = None, cache_folder: Path | None = None) -> None:
        self._given = encoder
        self._folder = cache_folder
        self._preparing = threading.Lock()
        self._training = threading.Lock()
        self._in_haste = threading.Lock()
        self._tools: _Tools | None = None
        self._loaded: TrainedHeads | None = None
        self._rough: Lru[str, TrainedHeads] = Lru(_KEPT_MODELS)
        self._fingerprints: Lru[tuple[CategorySpec, ...], str] = Lru(_KEPT_MODELS)

    @property
    def model(self) -> str:
        """The encoders' names; loads them when that has not happened yet."""
        return _joined(self._ready().encoders)

    def analyse(self, request: AnalysisRequest) -> AnalysisResult:
        """Return what the inquiry is about; raise AIError (NO_CATEGORIES, INTERNAL) and nothing else."""
        try:
            return self._analyse(request)
        except AIError:
            raise
        except Exception as error:
            # The text of an unexpected error may quote the customer, so only its kind is told.
            shortage = isinstance(error, MemoryError)
            raise AIError(ErrorKind.INTERNAL, type(error).__name__, permanent=not shortage) from error

    def warm_up(self, categories: Sequence[CategorySpec]) -> None:
        """Load the encoders and, unless fitting heads are loaded, train rough ones: about two seconds.

        Raises AIError as `analyse` does.
        """
        self.analyse(AnalysisRequest(text="", customer_name="", categories=tuple(categories)))

    def train(self, categories: Sequence[CategorySpec], labels: Sequence[LabelledText] = ()) -> TrainedHeads:
        """Return the best heads for these categories and people's labels, without using them: see `load`.

        Takes seconds, and with two encoders thirty milliseconds more for each sentence that is not remembered;
        other threads go on answering. Forgets the vectors of all other sentences. Raises ValueError without
        categories.
        """
        tools = self._ready()
        with self._training:
            heads = train(categories, labels, tools.learners)
            texts = training_texts(categories, labels)
            for learner in tools.learners:
                learner.keep_only(texts)
            return heads

    def load(self, heads: TrainedHeads) -> None:
        """Answer with these heads from now on wherever a request has their categories; safe at any time."""
        self._loaded = heads

    def is_taught(self, categories: Sequence[CategorySpec]) -> bool:
        """Tell whether loaded heads serve these categories, or rough ones would have to."""
        loaded = self._loaded
        return loaded is not None and loaded.categories == self._state_of(tuple(categories)) and self._can_use(loaded)

    def is_out_of_scope(self, text: str, categories: Sequence[CategorySpec]) -> bool:
        """Tell by distance to what was taught whether a text is no matter for this desk; the first encoder alone."""
        heads = self._heads_for(tuple(categories))
        sentences = split_sentences(normalise(text))
        if not sentences:
            return True
        reading = read(sentences, self._ready().encoders[:1], heads.topics, heads.moods)
        return heads.topics.judge(reading, heads.topics.shares(reading)).abstains

    def embed(self, text: str) -> Vectors:
        """Return the first encoder's unit vector (512,) of a whole message, for finding similar ones.

        The mean of its sentences' vectors, scaled to length 1, each weighted (1 - P(courtesy))⁴ once any heads are
        there: nobody waits for a training here.
        """
        encoder = self._ready().encoders[0]
        sentences = split_sentences(normalise(text)) or [""]
        vectors = encoder.encode(sentences)
        mean = self._matter(vectors) @ vectors
        length = float(np.linalg.norm(mean))
        # Sentences that cancel each other out leave no direction; the first one's is as good as any.
        return np.asarray(mean / length if length > 1e-9 else vectors[0], dtype=np.float32)

    def _analyse(self, request: AnalysisRequest) -> AnalysisResult:
        if not request.categories:
            raise AIError(ErrorKind.NO_CATEGORIES, permanent=True)
        heads = self._heads_for(tuple(request.categories))
        encoders = self._ready().encoders[: len(heads.report.encoders)]
        newest = normalise(request.newest)
        topic, mood = _judged(split_sentences(newest), encoders, heads)
        echo, text = topic.sentence, newest
        if request.thread:
            # The newest message says how the customer feels and what to reply to, both together what it is about.
            echo = "" if topic.only_courtesy else echo
            first = normalise(request.text)
            topic, _mood = _judged(split_sentences(first) + split_sentences(newest), encoders, heads)
            text = f"{first}\n{newest}"
        return _result(request, topic, mood, _Record(detect_language(text), _joined(encoders), heads, echo))

    def _ready(self) -> _Tools:
        """Return the encoders and the twins that remember what was taught, made once."""
        if self._tools is not None:
            return self._tools
        with self._preparing:
            if self._tools is None:
                encoders = (self._given,) if self._given else shared_encoders()
                learners = tuple(RememberingEncoder(encoder, self._folder) for encoder in encoders)
                self._tools = _Tools(encoders, learners)
            return self._tools

    def _heads_for(self, categories: tuple[CategorySpec, ...]) -> TrainedHeads:
        loaded, state = self._loaded, self._state_of(categories)
        if loaded is not None and self.is_taught(categories):
            return loaded
        heads = self._rough.get(state)
        if heads is not None:
            return heads
        # One trains, the others wait for its result instead of doing the same work beside it.
        with self._in_haste:
            heads = self._rough.get(state)
            if heads is None:
                heads = self._train_in_haste(categories)
                self._rough.put(state, heads)
            return heads

    def _train_in_haste(self, categories: Sequence[CategorySpec]) -> TrainedHeads:
        first, *others = self._ready().learners
        texts = training_texts(categories, ())
        quick = [learner for learner in others if learner.count_unknown(texts) <= _UNKNOWN_AT_ONCE]
        is_new = first.count_unknown(texts) > 4 * _EXAMPLES_AT_ONCE
        limit = _EXAMPLES_AT_ONCE if is_new else MAX_EXAMPLES
        return train(categories, (), [first, *quick], limit=limit, has_folds=False)

    def _state_of(self, categories: tuple[CategorySpec, ...]) -> str:
        state = self._fingerprints.get(categories)
        if state is None:
            state = category_fingerprint(categories)
            self._fingerprints.put(categories, state)
        return state

    def _can_use(self, heads: TrainedHeads) -> bool:
        """Tell whether the heads were trained on vectors of our encoders; the finer one may be missing here."""
        ours = tuple(encoder.model for encoder in self._ready().encoders)
        theirs = heads.report.encoders
        shared = min(len(ours), len(theirs))
        return shared > 0 and ours[:shared] == theirs[:shared]

    def _matter(self, vectors: Vectors) -> Vectors:
        """Return how much each sentence counts (n,); all the same as long as nothing is trained."""
        heads = self._loaded
        if heads is None or not self._can_use(heads):
            return np.ones(len(vectors), dtype=np.float32)
        courtesy = heads.moods.opinion([vectors])[:, -1]
        return np.asarray((1.0 - courtesy) ** MATTER_POWER + 1e-6, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Tools:
    """The encoders, and for each one its twin that remembers training sentences."""

    encoders: tuple[Encoder, ...]
    learners: tuple[RememberingEncoder, ...]


def _joined(encoders: Sequence[Encoder]) -> str:
    return "+".join(encoder.model for encoder in encoders)


@dataclass(frozen=True, slots=True)
class _Record:
    """What the answer says about its making."""

    language: str
    model: str
    heads: TrainedHeads
    echo: str  # the sentence that the draft quotes


def _result(request: AnalysisRequest, topic: Topic, mood: Mood, record: _Record) -> AnalysisResult:
    name = record.heads.topics.names[topic.winner]
    category = next(spec for spec in request.categories if spec.name == name)
    return AnalysisResult(
        category=category.name,
        sentiment=mood.sentiment,
        language=record.language,
        confidence=round(_confidence(topic), 4),
        reply=draft_reply(
            Draft(
                category=category.name,
                sentiment=mood.sentiment,
                language=record.language,
                customer_name=request.customer_name,
                sentence=record.echo,
                company=request.company,
                is_again=bool(request.thread),
            )
        ),
        reason=_reason(topic, category),
        engine=EmbeddedEngine.name,
        model=record.model,
        prompt_version=f"{VERSION}/{record.heads.fingerprint[:8]}",
        raw=_raw(topic, mood, record.heads),
        abstains=topic.abstains,
    )


def _confidence(topic: Topic) -> float:
    """Return the calibrated probability that the category is right; out of scope little of it is left."""
    sure = float(topic.probabilities[topic.winner])
    return min(max(sure * topic.trust if topic.abstains else sure, 0.0), 1.0)


def _reason(topic: Topic, category: CategorySpec) -> str:
    """Return one Spanish sentence that tells an agent what decided."""
    if not topic.sentence:
        return "El mensaje no trae texto que se pueda leer."
    if topic.only_courtesy:
        return "Solo trae saludos, datos o agradecimientos."
    if topic.keywords:
        return f"Menciona {_listed(topic.keywords)}."
    if topic.abstains or not topic.example:
        return "Se parece poco a los ejemplos de las categorías; conviene revisarla."
    if topic.example in (category.name, category.description):
        return f"Se parece a la descripción de «{shorten(category.name, 60)}»."
    return f"Se parece al ejemplo «{shorten(topic.example, 100)}»."


def _listed(found: Sequence[str]) -> str:
    """Return «a», «b» and «c» as a Spanish list."""
    quoted = [f"«{shorten(word, 40)}»" for word in found]
    if len(quoted) == 1:
        return quoted[0]
    # "y" becomes "e" before the sound i; not before the diphthong "hie-".
    last = found[-1].lower()
    joint = "e" if last.startswith(("i", "í", "hi")) and not last.startswith(("hie", "ie", "io")) else "y"
    return f"{', '.join(quoted[:-1])} {joint} {quoted[-1]}"


def _raw(topic: Topic, mood: Mood, heads: TrainedHeads) -> str:
    """Return the numbers behind the answer as JSON, for the record and for calibrating later."""
    named = zip(heads.topics.names, topic.probabilities.tolist(), strict=True)
    feelings = zip(SENTIMENTS, mood.probabilities.tolist(), strict=True)
    return json.dumps(
        {
            "categories": {name: round(value, 4) for name, value in named},
            "sentiments": {sentiment: round(value, 4) for sentiment, value in feelings},
            "trust": round(topic.trust, 4),
            "fingerprint": heads.fingerprint,
        },
        ensure_ascii=False,
    )


def _judged(sentences: Sequence[str], encoders: Sequence[Encoder], heads: TrainedHeads) -> tuple[Topic, Mood]:
    if not sentences:
        return _nothing_to_read(len(heads.topics.names), heads.topics.catch_all)
    reading = read(sentences, encoders, heads.topics, heads.moods)
    shares = heads.topics.shares(reading)
    topic = heads.topics.judge(reading, shares)
    return topic, heads.moods.judge(reading, heads.topics.complaint(shares), is_strange=topic.abstains)


def _nothing_to_read(categories: int, catch_all: int | None) -> tuple[Topic, Mood]:
    even: Vectors = np.full(categories, 1.0 / categories, dtype=np.float32)
    neutral: Vectors = np.asarray([0.0, 1.0, 0.0], dtype=np.float32)
    topic = Topic(catch_all or 0, even, 0.0, "", (), "", abstains=True)
    return topic, Mood("Neutral", neutral)
