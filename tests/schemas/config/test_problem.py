from schemas.config.problem import ConfigError, Problem, Where


def test_a_problem_reads_place_key_message() -> None:
    assert str(Problem("unknown key", "risk.x", Where("a.yaml", 3, 5))) == "a.yaml:3:5: risk.x: unknown key"
    assert str(Problem("not YAML", where=Where("a.yaml"))) == "a.yaml: not YAML"


def test_a_key_that_the_option_names_is_not_said_twice() -> None:
    assert str(Problem("too much", "risk.x", Where("--set risk.x"))) == "--set risk.x: too much"
    assert (
        str(Problem("too much", "risk.x", Where("env PENSTOCK__RISK__X"))) == "env PENSTOCK__RISK__X: risk.x: too much"
    )


def test_an_error_says_every_problem_on_a_line_of_its_own() -> None:
    error = ConfigError([Problem("one", "a"), Problem("two", "b")])
    assert str(error) == "a: one\nb: two"
    assert [problem.key for problem in error.problems] == ["a", "b"]
