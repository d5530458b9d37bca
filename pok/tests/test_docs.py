"""README.md, .env.example and the files for Docker say what pok/settings.py reads."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = (ROOT / "pok/settings.py").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
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
    # The launcher writes into it before the settings are read, pg_dump inherits it, the tests choose servers by it.
    allowed = {"settings.py", "env.py", "launch.py", "tools.py"}
    for path in [*(ROOT / "pok").glob("*.py"), *(ROOT / "inquiries").rglob("*.py")]:
        if path.name in allowed or "tests" in path.parts:
            continue
        reads = re.findall(r"os\.(?:environ(?!\.setdefault)|getenv)", path.read_text(encoding="utf-8"))
        assert not reads, path


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
class TestGuides:
    def test_files_that_they_link_to_exist(self, guide):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", guide.read_text(encoding="utf-8")):
            assert (guide.parent / target).is_file(), target

    def test_make_targets_that_they_name_exist(self, guide):
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        for target in set(re.findall(r"(?:`|&& |sudo )make ([a-z]+)", guide.read_text(encoding="utf-8"))):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target

    def test_commands_that_they_name_exist(self, guide):
        named = set(re.findall(r"manage\.py ([a-z_]+)", guide.read_text(encoding="utf-8")))
        assert named <= set(get_commands())

    def test_variables_that_they_name_exist(self, guide):
        named = set(re.findall(r"\b(?:POK|DJANGO|OPENAI)_[A-Z_]+\b", guide.read_text(encoding="utf-8")))
        ours = {"POK_CHROMIUM", "POK_TEST_DATABASE_URL", "POK_TEST_REDIS_URL", "POK_TEST_ON"}
        assert named <= {*VARIABLES, *ours}


def test_services_of_systemd_may_finish_what_is_under_way():
    from django.conf import settings

    unit = (ROOT / "docs/systemd/pok@.service").read_text(encoding="utf-8")
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(seconds) > settings.HUEY["consumer"]["shutdown_timeout"]


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


def compose_file(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return read


SCALED, SMALL, HTTPS = (compose_file(f"docker-compose{name}.yml") for name in ("", ".sqlite", ".https"))
IMAGE = dict(re.findall(r"(POK_\w+_DIR)=(\S+)", DOCKERFILE))
OURS = [SCALED["services"][name] for name in ("migrate", "web", "worker")] + [SMALL["services"]["web"]]


class TestCompose:
    def test_it_starts_web_worker_postgresql_redis_and_their_door(self):
        assert set(SCALED["services"]) == {"migrate", "web", "worker", "caddy", "postgres", "redis"}
        assert set(SMALL["services"]) == {"web", "caddy"}

    @pytest.mark.parametrize("service", OURS)
    def test_every_variable_reaches_every_service_and_no_other(self, service):
        given = service["environment"]
        assert sorted(given) == sorted(VARIABLES)
        own = {"DATABASE_URL", "REDIS_URL", "PORT", "POK_DATA_DIR", "POK_STATIC_DIR", "POK_BACKUP_DIR"}
        for name in set(VARIABLES) - own:
            assert given[name].startswith(f"${{{name}:"), name

    @pytest.mark.parametrize("service", OURS)
    def test_the_folders_are_those_of_the_image(self, service):
        given = service["environment"]
        assert {name: given[name] for name in IMAGE} == IMAGE
        assert f"backups:{given['POK_BACKUP_DIR']}" in service["volumes"]
        # Made in the image: an empty volume takes its owner over from there.
        made = Path(given["POK_BACKUP_DIR"]).name
        assert re.search(rf"mkdir .*\b{made}\b(.|\n)*chown -R pok .*\b{made}\b", DOCKERFILE)

    def test_the_data_of_the_small_one_outlive_its_container(self):
        assert f"data:{IMAGE['POK_DATA_DIR']}" in SMALL["services"]["web"]["volumes"]

    @pytest.mark.parametrize("service", [*OURS, SCALED["services"]["caddy"], SMALL["services"]["caddy"]])
    def test_what_the_internet_reaches_may_do_as_little_as_it_can(self, service):
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]

    def test_every_process_has_the_same_key_and_none_is_in_the_file(self):
        services = SCALED["services"]
        keys = {services[name]["environment"]["DJANGO_SECRET_KEY"] for name in ("migrate", "web", "worker")}
        assert len(keys) == 1
        assert keys.pop().startswith("${DJANGO_SECRET_KEY:?")

    @pytest.mark.parametrize("service", [SCALED["services"]["worker"], SMALL["services"]["web"]])
    def test_the_worker_may_finish_what_is_under_way(self, service):
        from django.conf import settings

        grace = int(service["stop_grace_period"].removesuffix("s"))
        assert grace > settings.HUEY["consumer"]["shutdown_timeout"]
        assert service["stop_signal"] == "SIGTERM"

    @pytest.mark.parametrize("file", [SCALED, SMALL])
    def test_what_a_service_waits_for_can_come_true(self, file):
        services = file["services"]
        for service in services.values():
            for name, wait in service.get("depends_on", {}).items():
                if wait["condition"] == "service_healthy":
                    own = services[name].get("healthcheck", {})
                    assert "test" in own or (services[name]["image"] == "pok" and "disable" not in own)
                else:
                    assert (wait["condition"], services[name]["restart"]) == ("service_completed_successfully", "no")

    @pytest.mark.parametrize("file", [SCALED, SMALL])
    def test_nobody_but_the_door_has_a_port_and_that_one_is_for_this_machine(self, file):
        ports = {name: service["ports"] for name, service in file["services"].items() if "ports" in service}
        assert ports == {"caddy": ["127.0.0.1:${PORT:-8000}:8000"]}

    def test_the_internet_gets_in_by_the_usual_ports(self):
        assert HTTPS == {"services": {"caddy": {"ports": ["80:80", "443:443", "443:443/udp"]}}}

    def test_the_server_is_not_newer_than_the_images_pg_dump(self):
        # Debian 13 (trixie) has PostgreSQL 17.
        assert DOCKERFILE.count("FROM python:3.13-slim-trixie") == 2
        assert SCALED["services"]["postgres"]["image"] == "postgres:17"


class TestDoor:
    caddyfile = (ROOT / "Caddyfile").read_text(encoding="utf-8")

    def test_it_waits_for_the_whole_of_every_body_that_is_taken(self):
        from django.conf import settings

        (kibibytes,) = re.findall(r"request_buffers (\d+)KiB", self.caddyfile)
        assert int(kibibytes) * 1024 == settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    def test_it_finds_every_web_server_by_the_name_of_the_service(self):
        name, port = re.findall(r"dynamic a {\s+name (\S+)\s+port (\S+)", self.caddyfile)[0]
        for file in (SCALED, SMALL):
            assert file["services"][name]["environment"]["PORT"] == port

    @pytest.mark.parametrize("service", OURS)
    def test_it_is_the_one_proxy_that_is_believed(self, service):
        assert service["environment"]["POK_NUM_PROXIES"] == "${POK_NUM_PROXIES:-1}"
        assert "trusted_proxies" not in self.caddyfile
