"""README.md, .env.example and docker-compose.yml say what pok/settings.py reads."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = (ROOT / "pok/settings.py").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def read_variables() -> dict[str, str | None]:
    """Every `env.reader("NAME", default)` of the settings; None where the default is worked out."""
    found: dict[str, str | None] = {}
    for node in ast.walk(ast.parse(SETTINGS)):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith("env.") or not node.args:
            continue
        name, *rest = node.args
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            found[name.value] = _default(rest)
    return found


def _default(arguments: list[ast.expr]) -> str | None:
    if not arguments:
        return ""
    return str(arguments[0].value) if isinstance(arguments[0], ast.Constant) else None


VARIABLES = read_variables()
DOCUMENTED = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", README, re.MULTILINE))
EXAMPLES = dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def test_settings_are_found_at_all():
    assert VARIABLES["PORT"] == "8000"
    assert len(VARIABLES) > 25


def test_the_readme_has_every_variable_and_no_other():
    assert sorted(DOCUMENTED) == sorted(VARIABLES)


def test_the_example_has_every_variable_and_no_other():
    assert sorted(EXAMPLES) == sorted(VARIABLES)


@pytest.mark.parametrize("name", [name for name, default in VARIABLES.items() if default])
def test_the_documented_default_is_the_real_one(name):
    assert EXAMPLES[name] == VARIABLES[name]
    assert DOCUMENTED[name] == f"`{VARIABLES[name]}`"


def test_nothing_but_the_settings_reads_the_environment():
    # The launcher writes into it before the settings are read, the tests choose servers and a Chromium by it.
    allowed = {"settings.py", "env.py", "launch.py"}
    for path in [*(ROOT / "pok").glob("*.py"), *(ROOT / "inquiries").rglob("*.py")]:
        if path.name in allowed or "tests" in path.parts:
            continue
        reads = re.findall(r"os\.(?:environ(?!\.setdefault)|getenv)", path.read_text(encoding="utf-8"))
        assert not reads, path


def test_files_that_the_readme_names_exist():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_make_targets_that_the_readme_names_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([a-z]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_image_keeps_its_static_files_out_of_its_volume():
    """A volume outlives an image: the new one would serve the old one's files, or fail on their manifest."""
    (volume,) = re.findall(r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE)
    image = dict(re.findall(r"(POK_\w+_DIR)=(\S+)", DOCKERFILE))
    assert image["POK_DATA_DIR"] == volume
    assert not Path(image["POK_STATIC_DIR"]).is_relative_to(volume)
    # Set before the files are made, and the account that serves may make them anew.
    assert DOCKERFILE.index("POK_STATIC_DIR=") < DOCKERFILE.index("manage.py setup --static")
    made = Path(image["POK_STATIC_DIR"]).relative_to("/app").parts[0]
    assert re.search(rf"chown -R pok .*\b{made}\b", DOCKERFILE)


class TestCompose:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))

    def test_it_starts_web_worker_postgresql_and_redis(self):
        assert {"setup", "web", "worker", "postgres", "redis"} == set(self.compose["services"])

    @pytest.mark.parametrize("service", ["setup", "web", "worker"])
    def test_every_variable_reaches_every_service_and_no_other(self, service):
        given = self.compose["services"][service]["environment"]
        assert sorted(given) == sorted(VARIABLES)
        own = {"DATABASE_URL", "REDIS_URL", "PORT", "POK_DATA_DIR", "POK_STATIC_DIR"}
        for name in set(VARIABLES) - own:
            assert given[name].startswith(f"${{{name}:"), name

    def test_the_folders_are_those_of_the_image(self):
        given = self.compose["services"]["web"]["environment"]
        image = dict(re.findall(r"(POK_\w+_DIR)=(\S+)", DOCKERFILE))
        assert {name: given[name] for name in image} == image

    def test_every_process_has_the_same_key_and_none_is_in_the_file(self):
        services = self.compose["services"]
        keys = {services[name]["environment"]["DJANGO_SECRET_KEY"] for name in ("setup", "web", "worker")}
        assert len(keys) == 1
        assert keys.pop().startswith("${DJANGO_SECRET_KEY:?")

    def test_the_worker_may_finish_what_is_under_way(self):
        from django.conf import settings

        grace = int(self.compose["services"]["worker"]["stop_grace_period"].removesuffix("s"))
        assert grace > settings.HUEY["consumer"]["shutdown_timeout"]

    def test_what_a_service_waits_for_can_come_true(self):
        services = self.compose["services"]
        for service in services.values():
            for name, wait in service.get("depends_on", {}).items():
                if wait["condition"] == "service_healthy":
                    assert "test" in services[name]["healthcheck"]
                else:
                    assert (wait["condition"], services[name]["restart"]) == ("service_completed_successfully", "no")
