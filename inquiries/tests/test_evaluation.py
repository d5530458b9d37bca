from __future__ import annotations

import json
import threading

import pytest
from django.utils import translation

from inquiries import evaluation
from inquiries.ai.embedded import EmbeddedEngine
from inquiries.ai.encoder import WordHashEncoder
from inquiries.ai.engine import AIError, CompanyProfile, ErrorKind
from inquiries.ai.seeds import default_categories
from inquiries.evaluation import Desk, Evaluation, EvaluationError, Sample, Skipped, current_desk
from inquiries.models import Calibration, Category, PromptVersion, SiteSettings
from inquiries.tests.fakes import FakeEngine, result

SPECS = tuple(entry.spec for entry in default_categories())


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def desk():
    return Desk(SPECS, CompanyProfile(name="Acme"), SiteSettings(review_threshold=0.5), has_own_categories=False)


@pytest.fixture
def read(tmp_path, desk):
    def read_bytes(content, limit=None):
        path = tmp_path / "messages.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return evaluation.read_samples(path, desk, limit)

    return read_bytes


def measured(desk, engine, samples, concurrency=1):
    done = Evaluation("embedded", desk, [])
    done.outcomes.extend(evaluation.ask_all(engine, samples, desk, concurrency))
    return evaluation.report(done)


def test_a_line_gives_its_text_and_labels(read):
    line = {"text": "¿Cuánto sale?", "category": "Ventas", "sentiment": "Neutral", "source": 7}
    assert read(json.dumps(line)) == ([Sample("¿Cuánto sale?", "Ventas", "Neutral")], [])


@pytest.mark.parametrize("line", ['{"text": "Hola"}', '{"text": "Hola", "category": null, "sentiment": null}'])
def test_labels_may_be_missing(read, line):
    assert read(line) == ([Sample("Hola")], [])


def test_a_label_may_be_spelled_without_capitals_and_accents(read):
    line = '{"text": "Hola", "category": "facturacion", "sentiment": "NEGATIVO"}'
    assert read(line)[0] == [Sample("Hola", "Facturación", "Negativo")]


def test_a_byte_order_mark_and_blank_lines_are_no_fault(read):
    content = b'\xef\xbb\xbf{"text": "uno"}\r\n\r\n   \n{"text": "dos"}\n'
    assert read(content) == ([Sample("uno"), Sample("dos")], [])


def test_a_line_separator_inside_a_text_does_not_end_the_line(read):
    assert read('{"text": "uno\u2028dos"}')[0] == [Sample("uno\u2028dos")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("hola", "it is not JSON"),
        ('{"text": "hola"', "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        (b'{"text": "a\xf1o"}', "it is not UTF-8"),
        ('["hola"]', "it is not a JSON object"),
        ("null", "it is not a JSON object"),
        ('{"message": "hola"}', "there is no “text”"),
        ('{"text": null}', "there is no “text”"),
        ('{"text": 7}', "“text” is not a string"),
        ('{"text": " \\n"}', "“text” is empty"),
        ('{"text": "a\\ud83d"}', "“text” holds half a character (a lone surrogate)"),
        ('{"text": "hola", "category": 3}', "“category” is not a string"),
        ('{"text": "hola", "sentiment": ["Neutral"]}', "“sentiment” is not a string"),
        (
            '{"text": "hola", "sentiment": "Triste"}',
            'sentiment "Triste" is unknown; known: Positivo, Neutral, Negativo',
        ),
        ('{"text": "hola", "sentiment": ""}', 'sentiment "" is unknown; known: Positivo, Neutral, Negativo'),
    ],
)
def test_a_bad_line_is_named_and_the_next_one_read(read, line, why):
    content = b'{"text": "uno"}\n' + (line if isinstance(line, bytes) else line.encode()) + b'\n{"text": "dos"}\n'
    assert read(content) == ([Sample("uno"), Sample("dos")], [Skipped(2, why)])


def test_an_unknown_category_names_the_known_ones_and_shows_nothing_that_a_terminal_obeys(read):
    [skipped] = read('{"text": "hola", "category": "Astro\\u001b[2J"}')[1]
    assert '"Astro\\u001b[2J"' in skipped.why
    assert all(spec.name in skipped.why for spec in SPECS)


def test_the_limit_counts_usable_messages(read):
    samples, skipped = read('{"text": "uno"}\nnada\n{"text": "dos"}\n{"text": "tres"}\nnada\n', limit=2)
    assert [sample.text for sample in samples] == ["uno", "dos"]
    assert [entry.line for entry in skipped] == [2]


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_no_evaluation(read, content):
    with pytest.raises(EvaluationError, match="is empty"):
        read(content)


def test_a_file_that_cannot_be_read_is_no_evaluation(tmp_path, desk):
    for path in (tmp_path, tmp_path / "missing.jsonl"):
        with pytest.raises(EvaluationError, match="cannot be read"):
            evaluation.read_samples(path, desk)


def test_the_figures_are_those_of_the_answers(desk):
    samples = [
        Sample("a", "Ventas", "Neutral"),
        Sample("b", "Ventas", "Negativo"),
        Sample("c", "Reclamo"),
        Sample("d"),
    ]
    engine = FakeEngine(
        result(category="Ventas", confidence=0.9),
        result(category="Reclamo", confidence=0.4),
        result(category="Reclamo", confidence=0.8, abstains=True),
        result(category="Ventas", confidence=0.7),
    )
    figures = measured(desk, engine, samples)
    assert (figures["messages"], figures["errors"], figures["abstained"], figures["needs_review"]) == (4, {}, 1, 2)
    category = figures["category"]
    assert category["accuracy"] == pytest.approx(2 / 3)
    assert category["macro_f1"] == pytest.approx(2 / 3)
    low, high = category["macro_f1_interval"]
    assert 0 <= low < 2 / 3 < high <= 1
    assert category["confusion"] == {"Reclamo": {"Reclamo": 1}, "Ventas": {"Reclamo": 1, "Ventas": 1}}
    assert category["classes"]["Ventas"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "support": 2,
    }
    assert figures["sentiment"]["confusion"] == {"Negativo": {"Neutral": 1}, "Neutral": {"Neutral": 1}}
    # Gaps 0.1 (right at 0.9), 0.4 (wrong at 0.4) and 0.2 (right at 0.8).
    assert figures["calibration"]["ece"] == pytest.approx((0.1 + 0.4 + 0.2) / 3)
    assert sum(entry["count"] for entry in figures["calibration"]["bins"]) == 3


@pytest.mark.django_db
def test_confidence_is_calibrated_as_on_the_pages(categories):
    Calibration.objects.create(engine="fake", model="fake-1", temperature=3.0, pairs=500)
    figures = measured(current_desk(), FakeEngine(result(confidence=0.9)), [Sample("hola", "Ventas")])
    assert 0.3 < figures["calibration"]["ece"] < 0.4


def test_an_error_is_counted_by_kind_and_is_a_wrong_answer(desk):
    timeout = AIError(ErrorKind.TIMEOUT, permanent=False)
    engine = FakeEngine(timeout, result(category="Ventas"), timeout, ValueError("a bug"))
    figures = measured(desk, engine, [Sample(str(number), "Ventas") for number in range(4)])
    assert figures["errors"] == {"timeout": 2, "internal": 1}
    assert figures["category"]["accuracy"] == 0.25
    assert figures["category"]["classes"]["Ventas"]["precision"] == 1.0
    assert figures["category"]["confusion"] == {"Ventas": {"": 3, "Ventas": 1}}
    assert sum(entry["count"] for entry in figures["calibration"]["bins"]) == 1


def test_what_nobody_labelled_is_absent(desk):
    figures = measured(desk, FakeEngine(), [Sample("hola", sentiment="Neutral")])
    assert "sentiment" in figures
    assert not {"category", "calibration"} & figures.keys()


def test_only_failures_still_make_a_report(desk):
    down = AIError(ErrorKind.UNREACHABLE, permanent=False)
    figures = measured(desk, FakeEngine(down), [Sample("hola", "Ventas")])
    assert (figures["model"], figures["cost"], figures["tokens"]) == ("", 0.0, {"in": 0, "out": 0})
    assert "calibration" not in figures


def test_tokens_cost_what_the_settings_say(desk):
    desk.site.prices = {"small": {"input": 1.0, "output": 10.0}}
    priced = result(model="small-2026", tokens_in=1_000, tokens_out=200)
    figures = measured(desk, FakeEngine(priced, priced), [Sample("a"), Sample("b")])
    assert figures["tokens"] == {"in": 2_000, "out": 400}
    assert figures["cost"] == pytest.approx(0.006)
    assert measured(desk, FakeEngine(priced, result(model="unpriced")), [Sample("a"), Sample("b")])["cost"] is None


def test_calls_run_side_by_side_and_come_back_in_order(desk):
    meeting = threading.Barrier(4, timeout=20)

    def meet(request):
        meeting.wait()  # passes only once four calls are under way
        return result(reason=request.text)

    samples = [Sample(str(number)) for number in range(80)]
    outcomes = list(evaluation.ask_all(FakeEngine(*[meet] * 80), samples, desk, 4))
    assert [outcome.sample for outcome in outcomes] == samples
    assert all(outcome.result.reason == outcome.sample.text for outcome in outcomes)


def test_an_evaluation_that_is_cut_short_asks_nothing_more(desk):
    engine = FakeEngine()
    outcomes = evaluation.ask_all(engine, [Sample(str(number)) for number in range(500)], desk, 1)
    next(outcomes)
    outcomes.close()
    assert len(engine.history) <= evaluation.CALLS_AHEAD


@pytest.mark.django_db
def test_the_engine_is_told_what_the_desk_is(categories):
    Category.objects.filter(name="Reclamo").update(is_active=False)
    SiteSettings.objects.update_or_create(pk=SiteSettings.singleton_instance_id, defaults={"company_name": "Acme"})
    PromptVersion.objects.create(facts="Abrimos a las 9.", tone="vos", forbidden="reintegro total\n").activate()
    desk = evaluation.current_desk()
    request = evaluation.build_request("¿A qué hora abren?", desk, "embedded")
    assert desk.has_own_categories
    assert request.text == "¿A qué hora abren?"
    assert [spec.name for spec in request.categories] == [
        "Soporte Técnico",
        "Ventas",
        "Facturación",
        "Consulta General",
    ]
    assert (request.company.name, request.company.facts) == ("Acme", "Abrimos a las 9.")
    assert (request.company.tone, request.company.forbidden) == ("vos", ("reintegro total",))


def test_a_service_outside_gets_no_personal_data(desk):
    text = "Escríbanme a ana@example.com"
    assert "ana@example.com" not in evaluation.build_request(text, desk, "openai").text
    assert evaluation.build_request(text, desk, "embedded").text == text


@pytest.mark.django_db
def test_a_desk_without_categories_takes_the_default_ones():
    desk = evaluation.current_desk()
    assert not desk.has_own_categories
    assert desk.categories == SPECS


@pytest.mark.django_db
def test_what_is_measured_was_trained_in_full(monkeypatch, categories):
    engine = EmbeddedEngine(WordHashEncoder())
    monkeypatch.setattr(evaluation.engines, "embedded_engine", lambda: engine)
    desk = evaluation.current_desk()
    assert evaluation.make_engine("embedded", desk).is_taught(desk.categories)


def test_openai_needs_a_key_or_a_server(settings, desk):
    settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = ""
    with pytest.raises(EvaluationError, match="OPENAI_API_KEY"):
        evaluation.make_engine("openai", desk)
