from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from confluent_kafka import IsolationLevel, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from sinks.kafka import read_back
from sinks.kafka.checkpoint import Checkpoint
from sinks.kafka.envelope import Message
from sinks.kafka.errors import FencedError, PublishError
from sinks.kafka.publisher import Publisher
from tests.kafka.broker import Broker
from tests.kafka.topics import QUIET, new_topic, raw, rows

Open = Callable[..., Publisher]


class StopError(Exception):
    """Ends a publisher in the middle of a step, its transaction open."""


def one(topic: str, id_: str, value: bytes = b"value") -> Message:
    return Message(topic, "key", id_, value, "Order/1")


def about(message: Message) -> Sequence[Message]:
    return (Message(message.topic, "alert", f"alert-{message.id}", b"diverged"),)


def opened(
    address: str, topic: str, checkpoint: Checkpoint | None = None, part: str = "part", **more: Any
) -> Publisher:
    client = {"bootstrap.servers": address, **more.pop("client", {})}
    return Publisher(client, topic, part, [topic], checkpoint, about, log=QUIET, **more)


def ids(address: str, topic: str) -> list[str]:
    return [id_ for _, _, id_, _ in rows(address, topic)]


@pytest.fixture
def topic(kafka: str) -> str:
    return new_topic(kafka)


def test_a_message_carries_its_key_value_id_part_schema_and_trace(kafka: str, topic: str) -> None:
    assert opened(kafka, topic).publish([Message(topic, "key", "a", b"1", "Order/1", "00-12-34-01")]) == 1
    (message,) = raw(kafka, topic)
    assert (message.key(), message.value()) == (b"key", b"1")
    assert message.headers() == [
        ("id", b"a"),
        ("part", f"{topic}.part".encode()),
        ("schema", b"Order/1"),
        ("traceparent", b"00-12-34-01"),
    ]


def test_what_takes_too_long_for_one_transaction_goes_into_several(
    kafka: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.kafka.publisher.PRODUCES_FOR_S", 0.0)
    steps, visible = list[str](), list[dict[str, int]]()
    publisher = opened(kafka, topic, probe=steps.append, on_published=lambda counts: visible.append(dict(counts)))
    assert publisher.publish([one(topic, "a"), one(topic, "b"), one(topic, "c")]) == 3
    assert steps == ["O1", "O2", *(["P2", "P3", "P4"] * 3)]
    assert visible == [{topic: 1}] * 3
    assert ids(kafka, topic) == ["a", "b", "c"]


def test_a_successor_leaves_out_what_was_published_after_the_checkpoint(kafka: str, topic: str) -> None:
    first = opened(kafka, topic)
    first.publish([one(topic, "a")])
    checkpoint = first.checkpoint()
    first.publish([one(topic, "b")])
    second = opened(kafka, topic, checkpoint)
    assert len(second.owed) == 1
    assert second.publish([one(topic, "b"), one(topic, "c")]) == 1
    assert ids(kafka, topic) == ["a", "b", "c"]


def test_what_is_still_owed_at_a_checkpoint_is_owed_by_the_next_successor(kafka: str, topic: str) -> None:
    opened(kafka, topic).publish([one(topic, "a"), one(topic, "b")])
    second = opened(kafka, topic)
    second.publish([one(topic, "a")])
    third = opened(kafka, topic, Checkpoint.unpack(second.checkpoint().pack()))
    assert third.publish([one(topic, "b"), one(topic, "c")]) == 1
    assert ids(kafka, topic) == ["a", "b", "c"]


def test_a_zombie_is_fenced_and_publishes_nothing(kafka: str, topic: str) -> None:
    zombie = opened(kafka, topic)
    zombie.publish([one(topic, "a")])
    successor = opened(kafka, topic, zombie.checkpoint())
    for _ in range(2):
        with pytest.raises(FencedError, match=f"{topic}.part: another process"):
            zombie.publish([one(topic, "zombie")])
    successor.publish([one(topic, "b")])
    assert ids(kafka, topic) == ["a", "b"]


def test_a_zombie_in_the_middle_of_a_transaction_is_fenced_and_publishes_nothing(kafka: str, topic: str) -> None:
    successors: list[Publisher] = []

    def overtaken(step: str) -> None:
        if step == "P3":
            zombie._producer.flush(10)  # its records are on the broker, not yet committed
            successors.append(opened(kafka, topic))

    zombie = opened(kafka, topic, probe=overtaken)
    with pytest.raises(FencedError):
        zombie.publish([one(topic, "zombie")])
    successors[0].publish([one(topic, "a")])
    assert ids(kafka, topic) == ["a"]
    assert len(raw(kafka, topic, "read_uncommitted")) == 2


def test_a_zombie_whose_record_the_broker_refuses_is_fenced(kafka: str, topic: str) -> None:
    class Zombie(Publisher):
        def _produce(self, message: Message) -> bool:
            taken = super()._produce(message)
            if message.id == "a":
                self._producer.flush(10)
                opened(kafka, topic)
            return taken

    zombie = Zombie({"bootstrap.servers": kafka}, topic, "part", [topic], None, about, log=QUIET)
    with pytest.raises(FencedError, match="another process has taken over"):
        zombie.publish([one(topic, f"{name}") for name in "abc"])
    assert ids(kafka, topic) == []


def test_a_transaction_that_the_brokers_gave_up_is_told_from_a_takeover(kafka: str, topic: str) -> None:
    partition = TopicPartition(topic, 0)

    def stands(level: IsolationLevel) -> int:
        wanted = {partition: OffsetSpec.latest()}  # type: ignore[no-untyped-call]
        found: int = admin.list_offsets(wanted, isolation_level=level)[partition].result().offset
        return found

    def too_long(step: str) -> None:
        if step == "P3":
            slow._producer.flush(10)
            while stands(IsolationLevel.READ_COMMITTED) == 0:  # as long as the transaction is open
                pass

    admin = AdminClient({"bootstrap.servers": kafka})
    slow = opened(kafka, topic, probe=too_long, client={"transaction.timeout.ms": 1_000})
    with pytest.raises(FencedError, match=r"longer than transaction\.timeout\.ms, .*: nothing is lost by a new start"):
        slow.publish([one(topic, "a")])
    assert opened(kafka, topic).publish([one(topic, "a")]) == 1
    assert ids(kafka, topic) == ["a"]


def test_what_an_aborted_transaction_held_is_invisible_and_published_anew(kafka: str, topic: str) -> None:
    def stopped(step: str) -> None:
        if step == "P3":
            killed._producer.flush(10)
            raise StopError

    killed = opened(kafka, topic, probe=stopped)
    with pytest.raises(StopError):
        killed.publish([one(topic, "a")])
    successor = opened(kafka, topic)
    assert len(successor.owed) == 0
    assert ids(kafka, topic) == []
    assert successor.publish([one(topic, "a")]) == 1
    assert ids(kafka, topic) == ["a"]
    assert len(raw(kafka, topic, "read_uncommitted")) == 2


def stuck(kafka: str, topic: str) -> Callable[[], None]:
    """Another part's transaction that is open on the topic. It ends when it is told to."""
    other = Producer({"bootstrap.servers": kafka, "transactional.id": f"{topic}.other"}, logger=QUIET)
    other.init_transactions(30)
    other.begin_transaction()
    other.produce(topic, b"other", "key", headers=[("id", b"other"), ("part", b"other")])
    other.flush(30)
    return lambda: other.commit_transaction(30)


def test_an_open_transaction_of_another_part_does_not_hide_what_we_published(kafka: str, topic: str) -> None:
    first = opened(kafka, topic)
    end = stuck(kafka, topic)
    first.publish([one(topic, "a")])
    assert ids(kafka, topic) == []  # it is behind the open transaction
    ending = threading.Timer(1.0, end)
    ending.start()
    successor = opened(kafka, topic)
    ending.join()
    assert successor.publish([one(topic, "a"), one(topic, "b")]) == 1
    assert ids(kafka, topic) == ["other", "a", "b"]


def test_the_ends_include_open_transactions(kafka: str, topic: str) -> None:
    end = stuck(kafka, topic)
    ends = read_back.Ends({"bootstrap.servers": kafka}, [topic], QUIET)
    assert ends.now() == {(topic, 0): 1}
    end()


def test_a_record_that_came_out_differently_is_reported_once_and_not_published(kafka: str, topic: str) -> None:
    opened(kafka, topic).publish([one(topic, "a", b"1")])
    second = opened(kafka, topic)
    assert second.publish([one(topic, "a", b"2"), one(topic, "b")]) == 2
    third = opened(kafka, topic)
    assert third.publish([one(topic, "a", b"3"), one(topic, "b")]) == 0
    assert [(id_, value) for _, _, id_, value in rows(kafka, topic)] == [
        ("a", b"1"),
        ("alert-a", b"diverged"),
        ("b", b"value"),
    ]


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(kafka: str, topic: str) -> None:
    opened(kafka, topic).publish([one(topic, "a")])
    assert len(opened(kafka, topic, Checkpoint({(topic, 0): 1_000}, {})).owed) == 1


def test_records_of_another_deployment_are_not_ours(kafka: str, topic: str) -> None:
    opened(kafka, topic, part="other").publish([one(topic, "a")])
    assert opened(kafka, topic).publish([one(topic, "a")]) == 1


def test_an_unknown_topic_is_named_with_the_command_that_creates_it(kafka: str) -> None:
    with pytest.raises(PublishError, match=r"topic no-such-topic does not exist: .*penstock topics create"):
        opened(kafka, "no-such-topic")


def test_a_record_that_the_broker_refuses_ends_with_its_topic_and_what_to_do(kafka: str) -> None:
    small = new_topic(kafka, config={"max.message.bytes": "500"})
    with pytest.raises(PublishError, match=f"topic {small}: .*max.message.bytes"):
        opened(kafka, small).publish([one(small, "a", b"x" * 1_000)])
    assert ids(kafka, small) == []


def test_a_record_larger_than_the_client_takes_ends_with_its_topic(kafka: str, topic: str) -> None:
    publisher = opened(kafka, topic)
    with pytest.raises(PublishError, match=f"topic {topic}: .*max.message.bytes"):
        publisher.publish([one(topic, "a"), one(topic, "b", b"x" * 2_000_000)])
    assert ids(kafka, topic) == []


def test_a_queue_that_is_full_is_waited_for(kafka: str, topic: str) -> None:
    publisher = opened(kafka, topic, client={"queue.buffering.max.messages": 10})
    assert publisher.publish([one(topic, f"{n}") for n in range(200)]) == 200
    assert ids(kafka, topic) == [f"{n}" for n in range(200)]


@pytest.mark.parametrize(("step", "end"), [("P2", "stop"), ("P3", "kill"), ("P4", "kill")])
def test_a_broker_that_goes_away_and_comes_back_is_waited_for(step: str, end: str, broker: Broker) -> None:
    # Stopped before a transaction has begun, it is waited for however long that takes, longer than a time-out, too.
    client = {"transaction.timeout.ms": 3_000} if end == "stop" else {}
    passed: list[str] = []
    too_late = threading.Event()

    def wait_and_start() -> None:
        assert end != "stop" or too_late.wait(60)
        broker.start()

    def outage(name: str) -> None:
        if name == step:
            passed.append(name)
            if len(passed) > 3:
                too_late.set()
            if len(passed) == 3:
                getattr(broker, end)()
                back.start()

    back = threading.Thread(target=wait_and_start)
    topic = new_topic(broker.address)
    publisher = opened(broker.address, topic, probe=outage, client=client)
    for n in range(6):
        assert publisher.publish([one(topic, f"{n}.{m}") for m in range(3)]) == 3
    back.join()
    wanted = [f"{n}.{m}" for n in range(6) for m in range(3)]
    assert ids(broker.address, topic) == wanted
    assert publisher.checkpoint().ends[(topic, 0)] >= len(wanted)
