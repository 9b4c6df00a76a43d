from schemas.topics import TOPICS


def test_the_key_of_a_public_topic_is_a_required_text_of_its_record() -> None:
    for topic in TOPICS.values():
        if topic.direction == "internal":
            continue
        field = topic.record.model_fields[topic.key]
        assert field.annotation is str, topic.name
        assert field.is_required(), topic.name


def test_a_topic_is_found_under_its_own_name() -> None:
    assert [topic.name for topic in TOPICS.values()] == list(TOPICS)


def test_decisions_are_kept_for_a_year_and_are_in_one_order() -> None:
    for name in ("orders", "fills", "positions", "equity"):
        assert TOPICS[name].retention_ms == 365 * 86_400_000
        assert TOPICS[name].partitions == 1


def test_the_journal_is_one_ordered_log() -> None:
    assert TOPICS["journal"].direction == "internal"
    assert TOPICS["journal"].partitions == 1


def test_what_comes_from_markets_is_cut_by_symbol() -> None:
    assert {name: (TOPICS[name].key, TOPICS[name].partitions) for name in ("candles", "trades", "quotes")} == {
        "candles": ("symbol", 4),
        "trades": ("symbol", 4),
        "quotes": ("symbol", 4),
    }


def test_every_topic_says_what_it_is_for_and_is_kept_for_a_day_at_least() -> None:
    for topic in TOPICS.values():
        assert topic.purpose
        assert topic.retention_ms >= 86_400_000, topic.name
