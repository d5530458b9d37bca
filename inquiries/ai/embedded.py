"""The engine that needs nothing: offline, in process, no key. Retrains itself when the categories change."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inquiries.ai.classify import UNSURE_BELOW, Mood, MoodModel, Reading, Topic, TopicModel
from inquiries.ai.encoder import CachingEncoder, Encoder, Lru, shared_encoder
from inquiries.ai.engine import (
    SENTIMENTS,
    AIError,
    AnalysisRequest,
    AnalysisResult,
    CategorySpec,
    ErrorKind,
)
from inquiries.ai.heads import Vectors
from inquiries.ai.templates import Draft, draft_reply
from inquiries.ai.text import detect_language, normalise, shorten, split_sentences

# Changes when the same training data would give other answers.
VERSION = "embedded-1"

# An edit in the middle of a batch leaves two states of the categories in use for a moment.
_KEPT_MODELS = 4


class EmbeddedEngine:
    """Reads an inquiry with a sentence encoder, softmax heads and keywords, and answers from templates.

    The encoder is loaded and the heads are trained on first use (`warm_up` does it beforehand); all threads
    share them. Give an encoder to use another one than the process's own.
    """

    name = "embedded"

    def __init__(self, encoder: Encoder | None = None) -> None:
        self._given = encoder
        self._training = threading.Lock()
        self._models: Lru[str, TopicModel] = Lru(_KEPT_MODELS)
        self._shared: tuple[Encoder, CachingEncoder, MoodModel] | None = None

    @property
    def model(self) -> str:
        """The encoder's name; loads it when that has not happened yet."""
        return self._ready()[0].model

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
        """Load the encoder and train for these categories, so that the first inquiry need not wait.

        Costs about two seconds the first time, some milliseconds per new example later. Raises AIError as
        `analyse` does.
        """
        self.analyse(AnalysisRequest(text="", customer_name="", categories=tuple(categories)))

    def _analyse(self, request: AnalysisRequest) -> AnalysisResult:
        if not request.categories:
            raise AIError(ErrorKind.NO_CATEGORIES, permanent=True)
        encoder, learner, moods = self._ready()
        fingerprint = category_fingerprint(request.categories)
        topics = self._topics(fingerprint, request.categories, learner, moods)
        text = normalise(request.text)
        sentences = split_sentences(text)
        if not sentences:
            topic, mood = _nothing_to_read(len(request.categories), topics.catch_all)
        else:
            vectors = encoder.encode(sentences)
            # Either head may take a courtesy for a matter; both together rarely do.
            courtesy = np.maximum(topics.courtesy(vectors), moods.courtesy(vectors))
            reading = Reading(sentences, vectors, courtesy, moods.matter(vectors, courtesy))
            topic, mood = topics.read(reading), moods.read(reading)
        raw = _record(request, topic, mood, fingerprint)
        return _result(request, topic, mood, _Record(detect_language(text), encoder.model, raw))

    def _ready(self) -> tuple[Encoder, CachingEncoder, MoodModel]:
        """Return what all categories share, made once: encoder, its caching twin for training, sentiment."""
        if self._shared is not None:
            return self._shared
        with self._training:
            if self._shared is None:
                encoder = self._given or shared_encoder()
                learner = CachingEncoder(encoder)
                self._shared = encoder, learner, MoodModel(learner)
            return self._shared

    def _topics(
        self, fingerprint: str, categories: Sequence[CategorySpec], learner: Encoder, moods: MoodModel
    ) -> TopicModel:
        model = self._models.get(fingerprint)
        if model is not None:
            return model
        # One trains, the others wait for its result instead of doing the same work beside it.
        with self._training:
            model = self._models.get(fingerprint)
            if model is None:
                model = TopicModel(categories, learner, moods)
                self._models.put(fingerprint, model)
            return model


def category_fingerprint(categories: Sequence[CategorySpec]) -> str:
    """Return a hash of all that training depends on: names, descriptions, examples, keywords, order."""
    state = [[entry.name, entry.description, entry.examples, entry.keywords] for entry in categories]
    # ASCII escapes keep lone surrogates encodable.
    return hashlib.sha256(json.dumps(state, ensure_ascii=True).encode("ascii")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Record:
    """What the answer says about its making."""

    language: str
    model: str
    raw: str


def _result(request: AnalysisRequest, topic: Topic, mood: Mood, record: _Record) -> AnalysisResult:
    category = request.categories[topic.winner]
    confidence = float(topic.probabilities[topic.winner]) * topic.trust
    return AnalysisResult(
        category=category.name,
        sentiment=mood.sentiment,
        language=record.language,
        confidence=round(min(max(confidence, 0.0), 1.0), 4),
        reply=draft_reply(
            Draft(
                category=category.name,
                sentiment=mood.sentiment,
                language=record.language,
                customer_name=request.customer_name,
                sentence=topic.sentence,
                company=request.company,
            )
        ),
        reason=_reason(topic, category),
        engine=EmbeddedEngine.name,
        model=record.model,
        prompt_version=VERSION,
        raw=record.raw,
    )


def _reason(topic: Topic, category: CategorySpec) -> str:
    """Return one Spanish sentence that tells an agent what decided."""
    if not topic.sentence:
        return "El mensaje no trae texto que se pueda leer."
    if topic.only_courtesy:
        return "Solo trae saludos, datos o agradecimientos."
    if topic.keywords:
        return f"Menciona {_listed(topic.keywords)}."
    if topic.trust < UNSURE_BELOW or not topic.example:
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


def _record(request: AnalysisRequest, topic: Topic, mood: Mood, fingerprint: str) -> str:
    """Return the numbers behind the answer as JSON, for the record and for calibrating later."""
    named = zip(request.categories, topic.probabilities.tolist(), strict=True)
    feelings = zip(SENTIMENTS, mood.probabilities.tolist(), strict=True)
    return json.dumps(
        {
            "categories": {category.name: round(value, 4) for category, value in named},
            "sentiments": {sentiment: round(value, 4) for sentiment, value in feelings},
            "trust": round(topic.trust, 4),
            "fingerprint": fingerprint,
        },
        ensure_ascii=False,
    )


def _nothing_to_read(categories: int, catch_all: int | None) -> tuple[Topic, Mood]:
    even: Vectors = np.full(categories, 1.0 / categories, dtype=np.float32)
    neutral: Vectors = np.asarray([0.0, 1.0, 0.0], dtype=np.float32)
    topic = Topic(catch_all or 0, even, 0.0, "", (), "")
    return topic, Mood("Neutral", neutral)
