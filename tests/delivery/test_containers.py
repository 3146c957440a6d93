"""Dockerfile, compose.yaml and render.yaml: sound, hardened, and about what is really there."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.secrets import make_secrets
from serving.settings import Settings, variable
from tests.factories import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STAGES = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))

# Of the Compose specification, what a service may have, as far as it is used here.
SERVICE_KEYS = {
    *("image", "build", "user", "ports", "networks", "environment", "secrets", "configs"),
    *("volumes", "tmpfs", "mem_limit", "pids_limit", "cpus", "stop_grace_period", "depends_on"),
    *("command", "healthcheck", "shm_size", "restart", "read_only", "init", "cap_drop"),
    *("security_opt", "logging"),
}


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def settings_named(text: str) -> set[str]:
    return set(re.findall(r"\bCAREERLENS_(?!TAG\b|BIND\b)\w+", text))


def known_settings() -> set[str]:
    return {variable(name) for name in Settings.model_fields}


def test_the_dockerfile_is_good_practice() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    ended = subprocess.run(
        [hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout


def test_the_images_run_as_a_number_and_from_pinned_bases() -> None:
    bases = re.findall(r"^FROM (\S+) AS", DOCKERFILE, re.MULTILINE)
    assert all(
        base in STAGES or re.search(r":\d+\.\d+\.\d+\S*@sha256:\w{64}$", base) for base in bases
    )
    for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]:
        if "\nCMD " in stage:
            assert "\nUSER 10001:10001\n" in stage
    assert DOCKERFILE.count("--require-hashes") == 3


def test_the_page_is_in_the_image_if_that_is_asked_for(compose: Any) -> None:
    [packages] = re.findall(
        r"^FROM uv AS serving-packages\n(.*?)\n\n", DOCKERFILE, re.MULTILINE | re.DOTALL
    )
    assert "ARG PAGE=\n" in packages
    [chosen] = re.findall(r"(/locks/requirements-\$\(.*\)\.lock)", packages)
    for page, name in (("", "serve"), ("1", "page")):
        ran = subprocess.run(
            ["bash", "-euc", f'echo "{chosen}"'],
            env={"PATH": "/usr/bin:/bin", "PAGE": page},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout == f"/locks/requirements-{name}.lock\n"
        assert f"requirements-{name}.lock" in re.search(r"^COPY (.*) /locks/$", packages, re.M)[1]  # type: ignore[index]
    assert compose["services"]["service"]["build"]["args"] == {"PAGE": "${PAGE:-}"}


def test_what_is_copied_is_let_through_and_there() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    built = yaml.safe_load(re.search(r"^include = (.*)$", _pyproject(), re.MULTILINE)[1])  # type: ignore[index]
    assert {name.strip("/") for name in built} <= let_through
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    assert set(copied) - {"."} <= let_through
    assert all((ROOT / name).exists() for name in let_through - {"baked"})


def test_the_settings_in_the_images_and_files_exist() -> None:
    for name in ("Dockerfile", "compose.yaml", "render.yaml"):
        assert settings_named((ROOT / name).read_text(encoding="utf-8")) <= known_settings(), name


def test_every_container_is_hardened(compose: Any) -> None:
    assert set(compose["services"]) == {"service", "redis", "postgres", "mlflow"}
    for name, service in compose["services"].items():
        assert set(service) <= SERVICE_KEYS, name
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert re.fullmatch(r"\d+:\d+", service["user"])
        assert service["mem_limit"]
        assert service["pids_limit"]
        assert service["tmpfs"]
        target = service.get("build", {}).get("target")
        assert target is None or target in STAGES
        assert target is not None or re.search(r":\d+\.\d+", service["image"])
        # Reachable from this machine alone, unless the operator binds it elsewhere.
        for port in service.get("ports", []):
            assert port.startswith(("127.0.0.1:", "${CAREERLENS_BIND:-127.0.0.1}:"))


def test_services_wait_for_those_that_can_tell_their_health(compose: Any) -> None:
    services = compose["services"]
    assert "HEALTHCHECK" in DOCKERFILE.partition("AS service\n")[2]
    assert "curl" not in DOCKERFILE
    for name, service in services.items():
        assert "healthcheck" in service or name == "service"
        for other, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in services[other]


def test_what_services_refer_to_is_declared_and_used(compose: Any) -> None:
    for kind in ("secrets", "networks", "configs", "volumes"):
        used: set[str] = set()
        for service in compose["services"].values():
            for each in service.get(kind, []):
                used.add(each["source"] if isinstance(each, dict) else each.partition(":")[0])
        used = {name for name in used if not name.startswith("./")}  # folders of the host
        assert used == set(compose[kind]), kind


def test_secrets_are_files_that_one_command_makes(
    compose: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = tmp_path / "signing.pub"
    signer.write_text("public")
    folder = tmp_path / "secrets"
    key = make_secrets(folder, signer)
    assert key is not None
    wanted = {Path(secret["file"]).name for secret in compose["secrets"].values()}
    keys = folder / "keys"
    assert {path.name for path in folder.iterdir()} == {*wanted, keys.name}
    assert folder.stat().st_mode & 0o077 == 0

    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = contents()
    assert make_secrets(folder, signer) is None
    assert contents() == before
    assert key.rpartition("_")[2].encode() not in b"".join(before.values())
    for name in ("feedback_url", "redis_url"):
        field = {"feedback_url": "database_url", "redis_url": "redis_url"}[name]
        monkeypatch.delenv(variable(field), raising=False)
        monkeypatch.setenv(f"{variable(field)}_FILE", str(folder / name))
    # Keys are changed while the service runs: the folder is mounted, as a file would be kept open.
    assert f"./secrets/{keys.name}:/run/keys:ro" in compose["services"]["service"]["volumes"]
    assert (keys / "keys.json").exists()
    assert keys.stat().st_mode & 0o055 == 0o055
    settings = Settings()
    assert settings.database_url.get_secret_value().endswith("@postgres/feedback")
    assert settings.redis_url is not None
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    for variable_name in ("PASSWORD", "SECRET", "TOKEN"):
        assert not re.search(rf"{variable_name}: +[^/\s]", text)


def test_render_takes_its_secrets_from_render() -> None:
    blueprint = yaml.safe_load((ROOT / "render.yaml").read_text(encoding="utf-8"))
    [web, cache] = blueprint["services"]
    assert (web["runtime"], web["healthCheckPath"]) == ("docker", "/readyz")
    by_name = {each["key"]: each for each in web["envVars"]}
    assert by_name["HF_TOKEN"] == {"key": "HF_TOKEN", "sync": False}
    assert by_name["CAREERLENS_ANSWER_CACHE_SECRET"]["generateValue"] is True
    assert (
        by_name["CAREERLENS_DATABASE_URL"]["fromDatabase"]["name"]
        == blueprint["databases"][0]["name"]
    )
    assert by_name["CAREERLENS_REDIS_URL"]["fromService"]["name"] == cache["name"]
    assert web["disk"]["mountPath"] == "/data"


def _pyproject() -> str:
    return (ROOT / "pyproject.toml").read_text(encoding="utf-8")
