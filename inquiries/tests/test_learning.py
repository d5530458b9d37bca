from __future__ import annotations

import numpy as np
import pytest
from django.core.cache import caches
from django.db import OperationalError

from inquiries import asking, learning, services, similar
from inquiries.ai.embedded import EmbeddedEngine
from inquiries.ai.encoder import WordHashEncoder
from inquiries.ai.engine import CategorySpec
from inquiries.models import Example, Inquiry, InquiryVector, SiteSettings
from inquiries.states import Sentiment
from inquiries.tests import factories

pytestmark = pytest.mark.django_db

ANA = {
    "customer_name": "Ana Belén Quiroga",
    "email": "ana.quiroga@example.com",
    "message": "Soy Ana Belén Quiroga, mi correo es ana.quiroga@example.com, mi teléfono el +34 612 345 678 "
    "y mi DNI 12345678Z. No me llegó la factura de marzo.",
}
ANSWER = (
    "Hola Ana Belén Quiroga: le enviamos la factura a ana.quiroga@example.com y la llamaremos al +34 612 345 678. "
    "Su documento 12345678Z está al día."
)
SECRETS = ("Ana Bel", "Belén", "Quiroga", "ana.quiroga", "612 345 678", "12345678Z")


class Encoder:
    """Stands in for the embedded engine: texts that share a word mean the same."""

    def __init__(self, model: str = f"{similar.ENCODER}+e5-small") -> None:
        self.model = model

    def embed(self, text: str) -> np.ndarray:
        vector = np.zeros(similar.DIMENSIONS, dtype=np.float32)
        vector[0 if "factura" in text else 1] = 1.0
        return vector


@pytest.fixture(autouse=True)
def encoder(monkeypatch):
    similar.forget()
    monkeypatch.setattr(learning, "embedded_engine", Encoder)
    yield
    similar.forget()


@pytest.fixture
def ana(make_inquiry, categories, agent) -> Inquiry:
    """Her inquiry was corrected and answered."""
    inquiry = make_inquiry(analysed=True, **ANA)
    inquiry = services.correct_category(inquiry, actor=agent, category=categories["Facturación"])
    return factories.answer(inquiry, actor=agent, text=ANSWER, version=0)


def test_an_answered_inquiry_becomes_an_example_without_personal_data(ana):
    assert learning.learn_pending() == 1
    row = Example.objects.get()
    assert (row.category.name, row.is_corrected, row.sentiment) == ("Facturación", True, "Negativo")
    for secret in SECRETS:
        assert secret not in row.text + row.answer
    assert "factura de marzo" in row.text
    assert "[correo]" in row.answer
    assert "[nombre]" in row.answer


def test_what_was_learnt_is_not_learnt_again(ana):
    learning.learn_pending()
    assert learning.learn_pending() == 0


def test_a_customers_data_never_reach_another_customers_request_or_draft(ana, make_inquiry, settings):
    learning.learn_pending()
    other = make_inquiry(customer_name="Luis Soto", email="luis@example.org", message="¿Me reenvían la factura?")
    asked = asking.prepare(other, "openai")
    (shown,) = asked.request.examples
    assert "factura" in shown.text
    for secret in SECRETS:
        assert secret not in repr(asked.request)


def test_a_new_answer_makes_a_new_row_so_that_every_index_reads_it(ana, agent):
    learning.learn_pending()
    first = Example.objects.get().pk
    inquiry = services.reopen(ana, actor=agent)
    factories.answer(inquiry, actor=agent, text="Otra respuesta", version=inquiry.reply_version)
    learning.learn_pending()
    row = Example.objects.get()
    assert row.pk > first
    assert row.answer == "Otra respuesta"


def test_a_correction_taken_back_takes_the_example_back(make_inquiry, categories, agent):
    inquiry = make_inquiry(analysed=True)
    inquiry = services.correct_category(inquiry, actor=agent, category=categories["Reclamo"])
    learning.learn_pending()
    assert Example.objects.count() == 1
    services.undo_correction(inquiry, actor=agent, field="category")
    learning.learn_pending()
    assert Example.objects.count() == 0


def test_spam_teaches_nothing(ana, agent):
    services.mark_spam(ana, actor=agent)
    learning.learn_pending()
    assert Example.objects.count() == 0


def test_an_example_goes_when_its_inquiry_turns_out_to_be_spam_and_comes_back_with_it(ana, agent):
    learning.learn_pending()
    spam = services.mark_spam(ana, actor=agent)
    learning.learn_pending()
    assert Example.objects.count() == 0
    services.unmark_spam(spam, actor=agent)
    learning.learn_pending()
    assert Example.objects.count() == 1


class Killed(BaseException):
    """What no handler for errors sees, as a worker's end."""


@pytest.mark.parametrize("error", [Killed, OperationalError])
def test_a_label_is_not_lost_when_learning_is_cut_short(ana, monkeypatch, error):
    def cut_short(_pk):
        raise error

    monkeypatch.setattr(learning, "_learn", cut_short)
    with pytest.raises(error):
        learning.learn_pending()
    ana.refresh_from_db()
    assert ana.to_learn


def test_a_label_that_comes_while_another_is_learnt_is_learnt_next(ana, agent, categories, monkeypatch):
    def corrected_meanwhile(inquiry):
        services.correct_category(inquiry, actor=agent, category=categories["Reclamo"])
        return b"\0" * 2 * similar.DIMENSIONS

    with monkeypatch.context() as patch:
        patch.setattr(learning, "keep_vector", corrected_meanwhile)
        learning.learn_pending()
    assert Example.objects.get().category.name == "Facturación"
    learning.learn_pending()
    assert Example.objects.get().category.name == "Reclamo"


def test_a_text_that_cannot_be_learnt_holds_up_no_other(ana, make_inquiry, agent, categories, monkeypatch):
    other = make_inquiry(analysed=True, message="No abre la app")
    services.correct_category(other, actor=agent, category=categories["Reclamo"])
    anonymise = learning.anonymise
    monkeypatch.setattr(
        learning, "anonymise", lambda text, **hidden: 1 / 0 if "factura" in text else anonymise(text, **hidden)
    )
    learning.learn_pending()
    assert Example.objects.get().inquiry_id == other.pk
    assert learning.learn_pending() == 0


def test_without_the_sentence_encoder_no_vector_is_kept(ana, monkeypatch):
    monkeypatch.setattr(learning, "embedded_engine", lambda: Encoder("palabras-clave"))
    learning.learn_pending()
    assert Example.objects.count() == InquiryVector.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_an_inquiry_that_is_erased_meanwhile_nothing_is_kept(make_inquiry):
    inquiry = make_inquiry()
    Inquiry.objects.filter(pk=inquiry.pk).delete()
    assert learning.keep_vector(inquiry) is not None
    assert InquiryVector.objects.count() == 0


def test_meaning_is_of_use_where_something_is_compared_or_the_embedded_engine_may_read(settings, ana):
    settings.OPENAI_API_KEY = "k"
    wanted = {}
    for engine in ("openai", "auto", "embedded"):
        settings.AI_ENGINE = engine
        wanted[engine] = learning.wants_encoder()
    assert wanted == {"openai": False, "auto": True, "embedded": True}
    settings.AI_ENGINE = "openai"
    learning.learn_pending()
    caches["local"].clear()
    assert learning.wants_encoder()


def test_where_a_supervisor_sends_all_to_the_embedded_engine_it_reads(settings):
    settings.AI_ENGINE = "openai"
    SiteSettings.objects.update_or_create(pk=1, defaults={"ai_mode": "embedded"})
    assert learning.wants_encoder()


def test_waiting_inquiries_get_their_vectors(make_inquiry):
    first, second = make_inquiry(), make_inquiry()
    assert learning.embed_waiting() == 2
    assert set(InquiryVector.objects.values_list("pk", flat=True)) == {first.pk, second.pk}
    assert learning.embed_waiting() == 0


def test_scope_is_told_only_by_what_was_trained(monkeypatch):
    engine = EmbeddedEngine(WordHashEncoder())
    monkeypatch.setattr(learning, "embedded_engine", lambda: engine)
    specs = (CategorySpec("Ventas", examples=("¿Cuánto sale el plan?",)),)
    assert not learning.is_out_of_scope("asdkjh aksjdh", specs)
    engine.load(engine.train(specs))
    assert learning.is_out_of_scope("asdkjh aksjdh", specs)


def test_labels_weigh_by_who_gave_them(ana, make_inquiry, agent):
    untouched = make_inquiry(analysed=True, message="Sin tocar: la factura")
    factories.answer(untouched, actor=agent, text="Hola", version=0)
    learning.learn_pending()
    by_text = {label.text[:3]: label for label in learning.labels()}
    corrected, sent = by_text["Soy"], by_text["Sin"]
    assert (corrected.category, corrected.sentiment, corrected.weight) == (
        "Facturación",
        "",
        learning.CORRECTED_WEIGHT,
    )
    assert (sent.category, sent.sentiment, sent.weight) == ("Soporte Técnico", "Negativo", learning.SENT_WEIGHT)


def test_a_corrected_sentiment_teaches_sentiment_only(make_inquiry, agent, categories):
    inquiry = make_inquiry(analysed=True)
    services.correct_sentiment(inquiry, actor=agent, sentiment=Sentiment.NEUTRAL)
    learning.learn_pending()
    (label,) = learning.labels()
    assert (label.category, label.sentiment) == ("", "Neutral")


def test_a_category_out_of_use_teaches_nothing(ana):
    learning.learn_pending()
    ana.category.is_active = False
    ana.category.save()
    assert learning.labels() == []


# --- a customer who wrote again ---
def write_again(inquiry: Inquiry, text: str, key: str, **reading: object) -> Inquiry:
    services.follow_up(inquiry, text=text, key=key)
    Inquiry.objects.filter(pk=inquiry.pk).update(**reading)
    return Inquiry.objects.get(pk=inquiry.pk)


@pytest.mark.parametrize("is_learnt_before", [True, False])
def test_what_is_about_a_follow_up_is_not_learnt_of_the_first_message(
    make_inquiry, categories, agent, is_learnt_before
):
    inquiry = make_inquiry(analysed=True, message="No me llegó la factura.", sentiment=Sentiment.NEGATIVE)
    inquiry = factories.answer(inquiry, actor=agent, text="La reenviamos.")
    if is_learnt_before:
        learning.learn_pending()
    inquiry = write_again(inquiry, "¡Gracias!", "k1", sentiment=Sentiment.POSITIVE, category=categories["Ventas"])
    factories.answer(inquiry, actor=agent, text="A usted.", version=inquiry.reply_version)
    assert learning.learn_pending() == 1
    example = Example.objects.get()
    assert (example.text, example.answer) == ("No me llegó la factura.", "La reenviamos.")
    known = ("Soporte Técnico", Sentiment.NEGATIVE) if is_learnt_before else (None, "")
    assert (example.category and example.category.name, example.sentiment) == known


def test_a_persons_category_counts_whenever_it_was_set(make_inquiry, categories, agent):
    inquiry = write_again(make_inquiry(analysed=True, message="La factura"), "Otra cosa", "k1")
    services.correct_category(inquiry, actor=agent, category=categories["Facturación"])
    services.correct_sentiment(Inquiry.objects.get(pk=inquiry.pk), actor=agent, sentiment=Sentiment.POSITIVE)
    learning.learn_pending()
    example = Example.objects.get()
    assert (example.category, example.is_corrected) == (categories["Facturación"], True)
    assert (example.sentiment, example.is_sentiment_corrected, example.answer) == ("", False, "")
