"""From examples and people's labels to trained heads: which sentences teach what, and how sure to be."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inquiries.ai.calibrate import fit_temperature
from inquiries.ai.classify import COURTEOUS_FROM, MoodModel, Reach, Reading, Rows, Taught, TopicModel
from inquiries.ai.encoder import Encoder
from inquiries.ai.engine import SENTIMENTS, CategorySpec, LabelledText
from inquiries.ai.heads import SoftmaxHead, Vectors, softmax, train_head
from inquiries.ai.measures import calibration_error
from inquiries.ai.seeds import courtesy_sentences, out_of_scope_sentences, sentiment_sentences
from inquiries.ai.text import normalise, split_sentences
from inquiries.ai.trained import TrainedHeads, TrainingReport, category_fingerprint, in_order, training_fingerprint

# Chosen by measurement, as the numbers of `classify`.
TOPIC_L2 = 0.2  # more forgets what people correct, less fits the hand that wrote the examples
MOOD_L2 = 0.1
PLAIN_COURTESY = 0.85

# Bounds the time of a training when somebody pastes a whole archive into a category.
MAX_EXAMPLES = 600
MAX_LABELS = 2_000

_FOLDS = 5
# What the folds of the default categories give; a training without folds takes it.
_USUAL_TEMPERATURE = 0.5
# An example held out is still of the hand that wrote the rest, so customers' own words are harder than the folds
# say: of the way from 1 to the fitted temperature, in logarithms, three quarters are gone along.
_CAUTION = 0.75

# A fifth of the way from unrelated to related is a clear difference between two categories' nearest examples.
_CLEAR = 0.2

RIVAL_FROM = 0.9
# A category is small below a third of the middle one's examples.
_SMALL = 3
_GIVEN_UP = 0.07
_USUAL_LIFT = 1.0
_HIGHEST_LIFT = 3.0


@dataclass(frozen=True, slots=True)
class _Trust:
    """How sure to be: the temperature, the calibration error with it, and each category's lift (k,)."""

    temperature: float
    ece: float
    lift: Vectors


@dataclass(frozen=True, slots=True)
class Lesson:
    """One message that teaches: its telling sentences, and whether they are the team's words or a customer's."""

    owner: int
    sentences: tuple[str, ...]
    weight: float = 1.0
    is_own_words: bool = True
    is_testable: bool = True


def train(
    categories: Sequence[CategorySpec],
    labels: Sequence[LabelledText],
    encoders: Sequence[Encoder],
    *,
    limit: int = MAX_EXAMPLES,
    has_folds: bool = True,
) -> TrainedHeads:
    """Return heads for the categories, trained on examples, seeds and labels; deterministic.

    Of several labels for one text the last counts, of all labels the last 2,000. At most `limit` examples of each
    kind are used. Without folds it takes a fifth of the time, and how sure to be is assumed, not measured. Raises
    ValueError without categories or encoders.
    """
    if not categories or not encoders:
        raise ValueError("training needs at least one category and one encoder")
    started = time.monotonic()
    specs, newest = in_order(categories), newest_labels(labels)
    moods = _fit_moods(encoders, newest, limit)
    lessons = _without_rivals(_lessons(specs, newest, encoders, moods, limit), specs, encoders)
    topics = _fit_topics(specs, lessons, encoders)
    trust = _fit_trust(specs, lessons, encoders, moods) if has_folds else _usual_trust(specs, lessons)
    report = TrainingReport(
        examples=sum(lesson.is_own_words for lesson in lessons),
        labels=len(newest),
        temperature=trust.temperature,
        ece=trust.ece,
        encoders=tuple(encoder.model for encoder in encoders),
        seconds=round(time.monotonic() - started, 3),
    )
    return TrainedHeads(
        fingerprint=training_fingerprint(categories, labels),
        categories=category_fingerprint(categories),
        topics=replace(topics, lift=trust.lift, temperature=trust.temperature),
        moods=moods,
        report=report,
    )


def training_texts(categories: Sequence[CategorySpec], labels: Sequence[LabelledText]) -> list[str]:
    """Return every sentence that a training for these encodes."""
    messages = [text for spec in categories for text in (spec.name, spec.description, *spec.examples[:MAX_EXAMPLES])]
    messages.extend(label.text for label in newest_labels(labels))
    sentences = [part for message in messages for part in _parts(message)]
    moods = [sentence for group in sentiment_sentences().values() for sentence in group]
    return list(dict.fromkeys([*sentences, *moods, *courtesy_sentences(), *out_of_scope_sentences()]))


def newest_labels(labels: Sequence[LabelledText]) -> list[LabelledText]:
    """Return the last label of each text, of these the last 2,000, without those that say nothing."""
    last: dict[str, LabelledText] = {}
    for label in labels:
        if (label.category or label.sentiment) and np.isfinite(label.weight) and label.weight > 0.0:
            last.pop(label.text, None)
            last[label.text] = label
    return list(last.values())[-MAX_LABELS:]


def read(sentences: Sequence[str], encoders: Sequence[Encoder], topics: TopicModel, moods: MoodModel) -> Reading:
    """Return the sentences (one at least) as the models see them.

    The finer encoders are spared what the first one takes for a courtesy beyond doubt: it would weigh nothing.
    """
    first = encoders[0].encode(sentences)
    if len(encoders) > 1:
        aside = np.maximum(topics.aside([first]), moods.opinion([first])[:, -1])
        kept = np.flatnonzero(aside < PLAIN_COURTESY)
        if len(kept):
            first, sentences = first[kept], [sentences[int(row)] for row in kept]
    views = [first, *_views(encoders[1:], sentences)]
    return moods.read(sentences, views, topics.aside(views))


def _views(encoders: Sequence[Encoder], sentences: Sequence[str]) -> list[Vectors]:
    """Return the sentences as each encoder sees them."""
    return [encoder.encode(sentences) for encoder in encoders]


def _fit_moods(encoders: Sequence[Encoder], labels: Sequence[LabelledText], limit: int) -> MoodModel:
    seeded = [*(sentiment_sentences()[sentiment] for sentiment in SENTIMENTS), courtesy_sentences()]
    groups = [_spread(group, limit) for group in seeded]
    sentences = [sentence for group in groups for sentence in group]
    owners = [owner for owner, group in enumerate(groups) for _ in group]
    views = _views(encoders, sentences)
    seeds = np.asarray(owners)
    moods = MoodModel(
        _fit(views, owners, [1.0] * len(owners), len(groups), MOOD_L2),
        polite=views[0][seeds == len(SENTIMENTS)],
        glad=views[0][seeds == SENTIMENTS.index("Positivo")],
        reach=Reach(encoders[0].unrelated, encoders[0].related),
    )
    felt = [lesson for label in labels if (lesson := _felt(label, encoders, moods))]
    if not felt:
        return moods
    sentences += [lesson.sentences[0] for lesson in felt]
    owners += [lesson.owner for lesson in felt]
    weights = [1.0] * len(seeds) + [lesson.weight for lesson in felt]
    return replace(moods, heads=_fit(_views(encoders, sentences), owners, weights, len(groups), MOOD_L2))


def _felt(label: LabelledText, encoders: Sequence[Encoder], moods: MoodModel) -> Lesson | None:
    """Return the sentence of a message that most likely carries the sentiment that a person saw in the whole."""
    sentences = _parts(label.text)
    if label.sentiment not in SENTIMENTS or not sentences:
        return None
    owner = SENTIMENTS.index(label.sentiment)
    opinion = moods.opinion(_views(encoders, sentences))
    row = int((opinion[:, owner] * (1.0 - opinion[:, -1])).argmax())
    return Lesson(owner, (sentences[row],), label.weight, is_own_words=False)


def _lessons(
    specs: Sequence[CategorySpec],
    labels: Sequence[LabelledText],
    encoders: Sequence[Encoder],
    moods: MoodModel,
    limit: int,
) -> list[Lesson]:
    """Return what teaches each category: name, description, examples, and people's labels."""
    owners = {spec.name: owner for owner, spec in reversed(list(enumerate(specs)))}
    raw: list[Lesson] = []
    for owner, spec in enumerate(specs):
        raw.extend(Lesson(owner, _parts(text), is_testable=False) for text in (spec.name, spec.description))
        raw.extend(Lesson(owner, _parts(text)) for text in _spread(spec.examples[:MAX_EXAMPLES], limit))
    raw.extend(
        Lesson(owners[label.category], _parts(label.text), label.weight, is_own_words=False)
        for label in labels
        if label.category in owners
    )
    raw = [lesson for lesson in dict.fromkeys(raw) if lesson.sentences]
    # Encoded in one go, because a batch costs less than its sentences one by one.
    _views(encoders, [sentence for lesson in raw for sentence in lesson.sentences])
    return [replace(lesson, sentences=_telling(lesson.sentences, encoders, moods)) for lesson in raw]


def _without_rivals(
    lessons: Sequence[Lesson], specs: Sequence[CategorySpec], encoders: Sequence[Encoder]
) -> list[Lesson]:
    """Leave out examples of well-taught categories that say what a small one was made for.

    "¿Dónde dejo mi currículum?" is a general question until somebody adds a category for applicants.
    """
    small = set(_small(specs, lessons))
    claimed = [sentence for lesson in lessons if lesson.owner in small for sentence in lesson.sentences]
    # What a person has said about a message stays, whatever it resembles.
    given = (lesson for lesson in lessons if lesson.is_own_words and lesson.is_testable)
    rivals = [lesson for lesson in given if lesson.owner not in small]
    if not claimed or not rivals:
        return list(lessons)
    nearness = _nearness([lesson.sentences[0] for lesson in rivals], claimed, encoders)
    out = {id(lesson) for lesson, near in zip(rivals, nearness, strict=True) if near >= RIVAL_FROM}
    return [lesson for lesson in lessons if id(lesson) not in out]


def _nearness(sentences: Sequence[str], others: Sequence[str], encoders: Sequence[Encoder]) -> Vectors:
    """Return (n,): the nearest other sentence's cosine, 0 at `unrelated` and 1 at `related`, over all encoders."""
    single = [
        (encoder.encode(sentences) @ encoder.encode(others).T - encoder.unrelated)
        / (encoder.related - encoder.unrelated)
        for encoder in encoders
    ]
    return np.asarray(np.mean(single, axis=0).max(axis=1), dtype=np.float32)


def _spread(texts: Sequence[str], limit: int) -> Sequence[str]:
    """Return at most `limit` of the texts, taken evenly: the last ones are often of another language."""
    if len(texts) <= limit:
        return texts
    return [texts[index * len(texts) // limit] for index in range(limit)]


def _parts(message: str) -> tuple[str, ...]:
    return tuple(split_sentences(normalise(message)))


def _telling(sentences: tuple[str, ...], encoders: Sequence[Encoder], moods: MoodModel) -> tuple[str, ...]:
    """Return a message without its courtesies: a pasted mail would teach that "Estimados" is a topic."""
    if len(sentences) < 2:
        return sentences
    polite = moods.opinion(_views(encoders, sentences))[:, -1] >= COURTEOUS_FROM
    return tuple(sentence for sentence, skip in zip(sentences, polite, strict=True) if not skip) or sentences


def _fit_topics(specs: Sequence[CategorySpec], lessons: Sequence[Lesson], encoders: Sequence[Encoder]) -> TopicModel:
    taught = [(lesson, sentence) for lesson in lessons for sentence in lesson.sentences]
    texts = [sentence for _, sentence in taught]
    polite, strange = courtesy_sentences(), out_of_scope_sentences()
    owners = [lesson.owner for lesson, _ in taught] + [len(specs)] * len(polite) + [len(specs) + 1] * len(strange)
    # A message of many sentences counts for little more than one of one.
    weights = [lesson.weight / len(lesson.sentences) ** 0.5 for lesson, _ in taught]
    weights += [1.0] * (len(owners) - len(weights))
    views = _views(encoders, [*texts, *polite, *strange])
    return TopicModel(
        names=tuple(spec.name for spec in specs),
        keywords=tuple(spec.keywords for spec in specs),
        heads=_fit(views, owners, weights, len(specs) + 2, TOPIC_L2),
        taught=Taught(
            tuple(view[: len(texts)] for view in views),
            tuple(_CLEAR * (encoder.related - encoder.unrelated) for encoder in encoders),
            np.asarray(owners[: len(texts)], dtype=np.int64),
            tuple(sentence if lesson.is_own_words else "" for lesson, sentence in taught),
        ),
        reach=Reach(encoders[0].unrelated, encoders[0].related),
        lift=np.zeros(len(specs), dtype=np.float32),
    )


def _fit(
    views: Sequence[Vectors], owners: Sequence[int], weights: Sequence[float], classes: int, l2: float
) -> tuple[SoftmaxHead, ...]:
    return tuple(train_head(view, owners, classes, l2=l2, weights=weights) for view in views)


def _fit_trust(
    specs: Sequence[CategorySpec], lessons: Sequence[Lesson], encoders: Sequence[Encoder], moods: MoodModel
) -> _Trust:
    """Measure lifts, temperature and calibration error on messages that their fold was not taught."""
    shares: list[Vectors] = []
    owners: list[int] = []
    for fold in range(_FOLDS):
        out = [lesson.is_testable and index % _FOLDS == fold for index, lesson in enumerate(lessons)]
        rest = [lesson for lesson, is_out in zip(lessons, out, strict=True) if not is_out]
        topics = _fit_topics(specs, rest, encoders)
        for lesson in (lesson for lesson, is_out in zip(lessons, out, strict=True) if is_out):
            shares.append(topics.shares(read(lesson.sentences, encoders, topics, moods)))
            owners.append(lesson.owner)
    if not owners:
        return _usual_trust(specs, lessons)
    logs = np.log(np.maximum(np.stack(shares), 1e-12))
    lift = _lifts(logs, np.asarray(owners), _small(specs, lessons))
    temperature = fit_temperature(logs + lift, owners) ** _CAUTION
    sure = softmax((logs + lift) / temperature)
    right = (sure.argmax(axis=1) == owners).tolist()
    return _Trust(temperature, calibration_error(sure.max(axis=1).tolist(), right), lift)


def _usual_trust(specs: Sequence[CategorySpec], lessons: Sequence[Lesson]) -> _Trust:
    lift = np.zeros(len(specs), dtype=np.float32)
    lift[_small(specs, lessons)] = _USUAL_LIFT
    return _Trust(_USUAL_TEMPERATURE, 0.0, lift)


def _small(specs: Sequence[CategorySpec], lessons: Sequence[Lesson]) -> list[int]:
    """Return the categories with much less to teach them than the middle one has."""
    counts = np.bincount([lesson.owner for lesson in lessons], minlength=len(specs))
    return np.flatnonzero(_SMALL * counts < np.median(counts)).tolist()


def _lifts(logs: Vectors, owners: Rows, small: Sequence[int]) -> Vectors:
    """Return what small categories may be lifted by, given log shares (n, k) of held-out messages.

    A few examples cover little of what customers will write, so their category is favoured, as far as seven in a
    hundred of the other categories' examples go over to it (logit adjustment, Menon et al. 2021). Those stand
    nearer to each other than customers' messages do: of such messages up to three in a hundred went over.
    """
    lift = np.zeros(logs.shape[1], dtype=np.float32)
    for category in small:
        others = logs[owners != category]
        if len(others):
            lead = np.delete(others, category, axis=1).max(axis=1) - others[:, category]
            lift[category] = np.clip(np.quantile(lead, _GIVEN_UP), 0.0, _HIGHEST_LIFT)
    return lift
