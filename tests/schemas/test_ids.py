from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import NAMESPACE, event_id


@given(st.lists(st.text(max_size=20) | st.integers(), min_size=1, max_size=6))
def test_an_id_is_the_uuid5_of_the_facts(facts: list[str | int]) -> None:
    escaped = [str(fact).replace("\\", "\\\\").replace("|", "\\|") for fact in facts]
    assert event_id(*facts) == str(uuid5(NAMESPACE, "|".join(escaped)))


def test_an_id_is_a_version_5_uuid_of_36_characters() -> None:
    made = event_id("main", "sma_cross", "BTC/USDT", 60_000, "entry")
    assert (UUID(made).version, len(made)) == (5, 36)
    assert made != event_id("main", "sma_cross", "BTC/USDT", 60_000, "exit")


def test_a_number_and_its_digits_are_one_fact() -> None:
    assert event_id("main", 60_000) == event_id("main", "60000")


def test_the_order_of_the_facts_matters() -> None:
    assert event_id("a", "b") != event_id("b", "a")


def test_an_id_of_an_example_stays_what_it_is() -> None:
    """Ids are on topics for years: a change of the recipe would publish everything again."""
    assert event_id("main", "sma_cross", "BTC/USDT", 1_640_995_260_000, "entry") == (
        "8afae159-2730-564c-9835-a71761348c7b"
    )


def test_a_fact_that_holds_the_separator_is_not_two_facts() -> None:
    made = {
        event_id("a|b", "c", "d"),
        event_id("a", "b", "c", "d"),
        event_id("a", "b|c", "d"),
        event_id("a", "b", "c|d"),
    }
    assert len(made) == 4
