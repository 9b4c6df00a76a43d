from pathlib import Path

from schemas.config.load import values
from schemas.config.root import Config
from schemas.documents import configuration_page, topics_page, write
from schemas.topics import TOPICS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_committed_pages_are_what_the_models_give() -> None:
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == configuration_page(), "run: make docs"
    assert (DOCS / "topics.md").read_text(encoding="utf-8") == topics_page(), "run: make docs"


def test_every_setting_is_on_the_page() -> None:
    page = configuration_page()
    keys = [key.replace("strategies.0.", "strategies.N.") for key, _ in values(Config())]
    inside = {
        "instruments.symbols": "instruments.symbols.SYMBOL.lot",
        "risk.lot_tiers": "risk.lot_tiers.N.equity",
        "exits.ladder": "exits.ladder.N.at",
    }
    keys = [inside.get(key, key) for key in keys]
    assert [key for key in keys if f"| `{key}` |" not in page] == []


def test_every_topic_and_every_field_of_its_record_is_on_the_page() -> None:
    page = topics_page()
    for topic in TOPICS.values():
        assert f"| [`{topic.name}`](#{topic.record.__name__.lower()}) |" in page
        section = page.split(f"\n## {topic.record.__name__}\n")[1].split("\n## ")[0]
        assert [name for name in topic.record.model_fields if f"| `{name}` |" not in section] == []


def test_a_record_is_described_once() -> None:
    heads = [line for line in topics_page().splitlines() if line.startswith("## ")]
    assert len(heads) == len(set(heads))


def test_pages_are_written_into_a_folder(tmp_path: Path) -> None:
    assert [path.name for path in write(tmp_path / "new")] == ["configuration.md", "topics.md"]
    assert (tmp_path / "new/topics.md").read_text(encoding="utf-8") == topics_page()
