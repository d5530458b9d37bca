from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from inquiries import budget
from inquiries.ai import measures
from inquiries.models import Category, HeadVersion, Outcome, Usage
from inquiries.quality import Question, report, versions
from inquiries.quality.agreement import Tally
from inquiries.quality.span import Axis, make_axis, midnight
from inquiries.states import DraftUse
from inquiries.templatetags import quality as words
from inquiries.views.charts import charts

EVER = Question("todo")
WEEK = Question("7")


@pytest.fixture(autouse=True)
def _database(db):
    """Every figure is asked of the database."""


def reply(said: str = "Ventas", held: str = "Ventas", **fields) -> Outcome:
    values = {
        "engine": "embedded",
        "model": "use-m3",
        "prompt_version": "embedded-1",
        "ai_category": said,
        "category": held,
        "ai_sentiment": "Neutral",
        "sentiment": "Neutral",
        "draft_use": DraftUse.UNCHANGED,
        "edit_distance": 0.0,
    }
    return Outcome.objects.create(**(values | fields))


def edited(distance: float, **fields) -> Outcome:
    return reply(draft_use=DraftUse.EDITED, edit_distance=distance, **fields)


def days_ago(days: int) -> datetime:
    return midnight(budget.today() - timedelta(days=days))


def test_an_empty_desk_has_figures_without_a_value():
    found = report(Question())
    assert found.is_empty
    assert found.total.category.share is None
    assert found.calibration.error is None
    assert found.drafts.unchanged_share is None
    assert found.drafts.median is None
    assert (found.versions, found.pairs, found.categories) == ((), (), ())
    assert (found.cost_each, found.tokens_each, found.spent.milliseconds_each) == (None, None, None)
    assert all("–" in charts(found)[name].essence for name in ("agreement", "drafts", "milliseconds"))


@pytest.mark.parametrize("zone", ["UTC", "America/Argentina/Buenos_Aires", "Asia/Tokyo"])
@pytest.mark.parametrize(("span", "days"), [("7", 7), ("30", 30), ("90", 90)])
def test_a_span_begins_with_the_midnight_of_its_first_day(settings, zone, span, days):
    settings.TIME_ZONE = zone
    first = datetime.combine(datetime.now(ZoneInfo(zone)).date() - timedelta(days=days - 1), datetime.min.time())
    start = first.replace(tzinfo=ZoneInfo(zone))
    reply(created_at=start)
    reply(created_at=start - timedelta(microseconds=1))
    found = report(Question(span))
    assert found.total.replies == 1
    assert found.periods[0].replies == 1
    assert report(EVER).total.replies == 2


def test_a_reply_counts_on_its_day():
    for age in (0, 0, 3, 6):
        reply(created_at=days_ago(age))
    found = report(WEEK)
    assert found.axis.step == "day"
    assert [part.replies for part in found.periods] == [1, 0, 0, 1, 0, 0, 2]


def test_touched_and_untouched_are_told_apart():
    for _index in range(3):
        reply()
    reply("Ventas", "Reclamo", category_touched=True)
    reply("Ventas", "Reclamo", category_touched=True)
    reply("Reclamo", "Reclamo", category_touched=True)
    reply("Ventas", "Reclamo")  # a later reading changed it
    total = report(EVER).total
    assert total.untouched == Tally(4, 3)
    assert total.touched == Tally(3, 1)
    assert total.category == Tally(7, 4)
    assert total.corrected == 2
    assert total.touched.share == pytest.approx(1 / 3)


def test_sentiment_is_counted_apart():
    reply(ai_sentiment="Negativo", sentiment="Neutral", sentiment_touched=True)
    reply()
    reply(ai_sentiment="", sentiment="Neutral")
    assert report(EVER).total.sentiment == Tally(2, 1)


def test_where_the_ai_named_nothing_there_is_nothing_to_agree_with():
    reply("", "Ventas", category_touched=True)
    reply("Ventas", "")
    found = report(EVER)
    assert found.total.replies == 2
    assert found.total.category == Tally(0, 0)
    assert [row.name for row in found.categories] == ["Ventas"]
    assert found.categories[0].total.category.share is None
    assert found.pairs == ()


def test_categories_over_time_with_the_most_frequent_first(categories):
    reply("Ventas", "Reclamo", category_touched=True, created_at=days_ago(1))
    reply("Reclamo", "Reclamo", created_at=days_ago(1))
    reply("Reclamo", "Reclamo", created_at=days_ago(0))
    reply("Antigua", "Antigua", created_at=days_ago(0))
    first, second = report(WEEK).categories
    assert (first.name, first.colour, first.total.replies) == ("Reclamo", "rojo", 3)
    assert [part.category for part in first.periods[-2:]] == [Tally(2, 1), Tally(1, 1)]
    assert (second.name, second.colour) == ("Antigua", "gris")


def test_pairs_come_most_frequent_first_and_end_somewhere():
    for index in range(20):
        for _time in range(index + 1):
            reply(f"Dicha {index:02}", "Real")
    pairs = report(EVER).pairs
    assert len(pairs) == 15
    assert [(pair.said, pair.held, pair.count) for pair in pairs[:2]] == [
        ("Dicha 19", "Real", 20),
        ("Dicha 18", "Real", 19),
    ]


def test_calibration_is_that_of_the_measures():
    chance = random.Random(3)
    pairs = [(confidence, chance.random() < 0.6) for confidence in (0.0, 0.1, 0.3, 0.30000001, 0.7, 0.9, 1.0)]
    pairs += [(value, chance.random() < value) for value in (chance.random() for _index in range(60))]
    for confidence, is_right in pairs:
        reply("Ventas", "Ventas" if is_right else "Reclamo", confidence=confidence)
    reply(confidence=None)
    reply("", "Ventas", confidence=0.2)
    found = report(EVER).calibration
    claimed, right = zip(*pairs, strict=True)
    expected = measures.reliability(claimed, right)
    assert found.count == len(pairs)
    assert [entry.count for entry in found.bins] == [entry.count for entry in expected]
    for ours, theirs in zip(found.bins, expected, strict=True):
        assert (ours.low, ours.high) == (theirs.low, theirs.high)
        assert ours.confidence == pytest.approx(theirs.confidence)
        assert ours.accuracy == pytest.approx(theirs.accuracy)
    assert found.error == pytest.approx(measures.calibration_error(claimed, right))
    assert found.bias == pytest.approx(sum(claimed) / len(claimed) - sum(right) / len(right))


@pytest.mark.parametrize(
    ("confidence", "rights", "says"), [(0.9, 5, "surer"), (0.4, 9, "more cautious"), (0.9, 9, "as often")]
)
def test_the_calibration_is_put_into_words(confidence, rights, says):
    for index in range(10):
        reply("Ventas", "Ventas" if index < rights else "Reclamo", confidence=confidence)
    with translation.override("en"):
        assert says in charts(report(EVER))["calibration"].essence


def test_drafts_and_the_median_of_the_edited_ones():
    reply()
    for distance in (0.1, 0.5, 0.2):
        edited(distance)
    reply(draft_use=DraftUse.DISCARDED, edit_distance=0.9)
    reply(draft_use=DraftUse.NONE, edit_distance=None)
    drafts = report(EVER).drafts
    assert (drafts.unchanged, drafts.edited, drafts.discarded, drafts.none) == (1, 3, 1, 1)
    assert drafts.unchanged_share == pytest.approx(1 / 5)
    assert drafts.median == pytest.approx(0.2)


def test_the_median_of_an_even_number_lies_between_the_middle_ones():
    for distance in (0.4, 0.1, 0.2, 0.5):
        edited(distance)
    assert report(EVER).drafts.median == pytest.approx(0.3)


def test_versions_stand_side_by_side_whatever_is_filtered():
    openai = {"engine": "openai", "model": "gpt-x", "prompt_version": "2"}
    edited(0.1)
    edited(0.3)
    edited(0.5, **openai)
    reply("Ventas", "Reclamo", **openai)
    reply(**openai)
    reply("", "Ventas", engine="", model="", prompt_version="", draft_use=DraftUse.NONE)
    for question, median, replies in ((EVER, 0.3, 6), (Question("todo", engine="openai"), 0.5, 3)):
        found = report(question)
        first, second = found.versions
        assert (first.engine, first.model, first.prompt_version) == ("openai", "gpt-x", "2")
        assert first.category == Tally(3, 2)
        assert (first.drafts.unchanged, first.drafts.edited, first.drafts.median) == (2, 1, 0.5)
        assert second.drafts.median == pytest.approx(0.2)
        assert found.drafts.median == pytest.approx(median)
        assert found.drafts.total == found.total.replies == replies


@pytest.mark.parametrize(
    ("filters", "replies"),
    [({"engine": "openai"}, 2), ({"model": "b"}, 1), ({"prompt_version": "1"}, 2), ({"engine": "x"}, 0)],
)
def test_filters_narrow_what_is_counted(filters, replies):
    reply(engine="openai", model="a", prompt_version="1", confidence=0.5)
    reply("Ventas", "Reclamo", engine="openai", model="b", prompt_version="2", confidence=0.5)
    reply(engine="embedded", model="c", prompt_version="1", confidence=0.5)
    found = report(Question("todo", **filters))
    assert found.total.replies == found.calibration.count == found.drafts.total == replies
    assert found.received is None


def test_what_an_analysis_takes_is_the_mean_of_the_newest(make_inquiry, monkeypatch):
    monkeypatch.setattr(versions, "SAMPLE", 2)
    for milliseconds, cost in ((900, "9"), (10, "1"), (20, None)):
        analysis = make_inquiry(analysed=True).analyses.get()
        analysis.duration_ms, analysis.tokens_in, analysis.tokens_out, analysis.cost = milliseconds, 100, 20, cost
        analysis.save()
        reply(analysis=analysis, engine="embedded", model="use-m3", prompt_version="1")
    means = report(EVER).versions[0].means
    assert (means.milliseconds, means.tokens, means.cost) == (15, 120, Decimal(1))


def test_spending_is_booked_on_its_day_and_divided_by_what_came_in(make_inquiry):
    for age, engine, calls, cost in (
        (0, "openai", 2, "0.5"),
        (0, "embedded", 1, "0"),
        (6, "openai", 1, "0.25"),
        (7, "openai", 8, "9"),
    ):
        Usage.objects.create(
            day=budget.today() - timedelta(days=age),
            engine=engine,
            calls=calls,
            tokens_in=90 * calls,
            tokens_out=10 * calls,
            cost=Decimal(cost),
            milliseconds=1_000 * calls,
        )
    make_inquiry()
    make_inquiry()
    found = report(WEEK)
    assert [part.calls for part in found.spending] == [1, 0, 0, 0, 0, 0, 3]
    assert (found.spent.tokens, found.spent.cost) == (400, Decimal("0.75"))
    assert found.spent.milliseconds_each == 1_000
    assert (found.received, found.tokens_each, found.cost_each) == (2, 200, Decimal("0.375"))
    only = report(Question("7", engine="openai"))
    assert (only.spent.calls, only.cost_each) == (3, Decimal("0.25"))


def test_everything_begins_with_the_first_reply_or_the_first_analysis():
    reply(created_at=days_ago(3))
    Usage.objects.create(day=budget.today() - timedelta(days=5), engine="embedded", calls=4)
    found = report(EVER)
    assert (len(found.axis.starts), found.spending[0].calls) == (6, 4)
    assert [part.replies for part in found.periods] == [0, 0, 1, 0, 0, 0]
    reply(created_at=days_ago(1_000))
    assert report(EVER).axis.step == "month"


def test_the_newest_trainings_without_their_data():
    for examples in range(7):
        HeadVersion.objects.create(fingerprint="f", encoder="use", data=b"x" * 1_000, examples=examples)
    heads = report(Question()).heads
    assert [head.examples for head in heads] == [6, 5, 4, 3, 2]
    assert "data" in heads[0].get_deferred_fields()


def test_active_categories_with_fewer_than_five_examples_are_poorly_taught(categories):
    Category.objects.update(examples="\n".join("abcde"))
    Category.objects.filter(name="Ventas").update(examples="a\n\n b \nc\nd\n")
    Category.objects.filter(name="Reclamo").update(examples="", is_active=False)
    assert [row.name for row in report(Question()).poorly_taught] == ["Ventas"]


def test_a_long_span_is_cut_into_weeks_and_a_longer_one_into_months():
    wednesday = date(2026, 11, 25)
    assert make_axis(wednesday, wednesday, longest_by_day=14) == Axis("day", (wednesday,))
    by_day = make_axis(wednesday - timedelta(days=13), wednesday, longest_by_day=14)
    assert (by_day.step, len(by_day.starts)) == ("day", 14)
    by_week = make_axis(wednesday - timedelta(days=14), wednesday, longest_by_day=14)
    assert by_week == Axis("week", (date(2026, 11, 11), date(2026, 11, 16), date(2026, 11, 23)))
    by_month = make_axis(date(2026, 1, 31), wednesday, longest_by_day=14)
    assert by_month.starts[:2] == (date(2026, 1, 31), date(2026, 2, 1))
    assert (by_month.step, len(by_month.starts)) == ("month", 11)
    assert len(make_axis(date(1990, 1, 1), wednesday, longest_by_day=14).starts) == 120


def test_a_day_lies_in_the_period_that_began_last():
    axis = Axis("week", (date(2026, 11, 11), date(2026, 11, 16)))
    days = (date(2026, 11, 1), date(2026, 11, 11), date(2026, 11, 15), date(2026, 11, 16), date(2026, 12, 1))
    assert [axis.place(day) for day in days] == [0, 0, 0, 1, 1]


def test_the_day_on_which_clocks_go_back_lasts_an_hour_longer(settings):
    settings.TIME_ZONE = "America/New_York"
    start, end = (midnight(date(2026, 11, day)).astimezone(UTC) for day in (1, 2))
    assert end - start == timedelta(hours=25)


@pytest.mark.parametrize(
    "query",
    [{"dias": "8"}, {"dias": "-7"}, {"dias": "7\x00"}, {"motor": "a\x00"}, {"modelo": "x" * 81}, {"version": "\n"}],
)
def test_a_question_that_no_page_asks_is_refused(query):
    with pytest.raises(ValueError, match="no such"):
        Question.from_query(query)


def test_a_question_is_read_from_the_address():
    query = {"dias": "90", "motor": "openai", "modelo": "gpt-x", "version": "3"}
    assert Question.from_query(query) == Question("90", "openai", "gpt-x", "3")
    assert Question.from_query({"dias": "", "utm": "x"}) == Question("30")


def test_figures_in_words():
    nothing = "–"
    assert words.share(0.834) == "83\xa0%"
    assert words.whole(1_234_567.4) == "1\xa0234\xa0567"
    assert words.version("") == nothing
    assert [filter_(None) for filter_ in (words.share, words.whole, words.duration, words.money)] == [nothing] * 4
    with translation.override("es"):
        assert [words.duration(value) for value in (22.4, 999, 1_912)] == ["22\xa0ms", "999\xa0ms", "1,9\xa0s"]
        assert [words.money(Decimal(value)) for value in ("0", "0.00123", "12.5")] == ["0,00", "0,0012", "12,50"]


def test_the_halves_of_a_span_hold_about_as_many_replies():
    for age, said in ((6, "Ventas"), (1, "Ventas"), (1, "Reclamo"), (0, "Ventas")):
        for _time in range(10):
            reply(said, "Ventas", created_at=days_ago(age))
    with translation.override("en"):
        # 10 of 10 replies, then 20 of 30: the middle lies in the second day, which goes to the later half.
        assert "100\xa0% in the earlier half of them, 67\xa0% in the later" in charts(report(WEEK))["agreement"].essence
