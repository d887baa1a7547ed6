"""The API key and signed URLs of the hosted service: sent where they must be, seen nowhere else."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lib.core.errors import InputError, PromptreelError
from lib.core.sampling import Sampling
from lib.hosted.api import HostedApi
from lib.hosted.jobs import embed_hosted
from lib.store.store import Store
from tests.helpers.fake_hosted import QUICK, FakeHosted
from tests.helpers.videos import make_video
from tests.hosted.test_jobs import BEFORE, ENDED, WAITS

KEY = "rf_Tg7+secret/=%key"
SECRETS = (KEY, "Tg7+secret", "Tg7%2Bsecret", "5ecret51gnature")
FAULTS = {**BEFORE, **ENDED, **WAITS}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("film") / "film.mp4", rate=10)


@pytest.fixture
def service() -> Iterator[FakeHosted]:
    with FakeHosted() as service:
        service.faults.key, service.faults.echo = KEY, True
        yield service


def is_hidden(text: str) -> bool:
    return not any(secret in text for secret in SECRETS)


def nothing_on_disk(home: Path) -> bool:
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    return all(secret.encode() not in path.read_bytes() for path in files for secret in SECRETS)


def run(service: FakeHosted, home: Path, film: Path, *, read_s: float = 5) -> None:
    store = Store(home)
    api = HostedApi(
        service.url, key=KEY, timing=replace(QUICK, read_s=read_s, retries=replace(QUICK.retries, attempts=2))
    )
    assert is_hidden(repr(api))
    try:
        embed_hosted(store, store.add_file(film), Sampling.per_second(1), api)
    finally:
        api.close()


def test_the_key_goes_to_the_service_and_not_to_storage(
    service: FakeHosted, tmp_path: Path, film: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        run(service, tmp_path / "home", film)

    for seen in service.seen:
        to_storage = seen.path.startswith(("/input/", "/output/"))
        assert ("api_key=" in seen.target) != to_storage
        assert "authorization" not in seen.headers
        assert is_hidden(str(seen.body).replace("5ecret51gnature", "")) or to_storage
    assert any(record.name.startswith("urllib3") for record in caplog.records)  # it was listened to
    assert all(is_hidden(record.getMessage()) for record in caplog.records)
    assert nothing_on_disk(tmp_path / "home")


@pytest.mark.parametrize("name", FAULTS)
def test_no_failure_reveals_a_secret(
    service: FakeHosted, tmp_path: Path, film: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    FAULTS[name][0](service)
    service.faults.message += f" {KEY} {service.url}/x?api_key={KEY} https://h/i?X-Goog-Signature=5ecret51gnature"
    with caplog.at_level(logging.DEBUG), pytest.raises(PromptreelError) as caught:
        run(service, tmp_path / "home", film, read_s=0.3 if name == "hang" else 5)

    assert is_hidden(str(caught.value))
    assert is_hidden("".join(traceback.format_exception(caught.value)))
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert all(is_hidden(f"{error} {error!r}") for error in chain)
    assert all(is_hidden(record.getMessage()) for record in caplog.records)
    assert nothing_on_disk(tmp_path / "home")


def test_a_service_that_is_gone_reveals_nothing(tmp_path: Path, film: Path, caplog: pytest.LogCaptureFixture) -> None:
    with FakeHosted() as service:
        pass
    with caplog.at_level(logging.DEBUG), pytest.raises(PromptreelError, match="check the network") as caught:
        run(service, tmp_path / "home", film)

    assert is_hidden("".join(traceback.format_exception(caught.value)))
    assert all(is_hidden(record.getMessage()) for record in caplog.records)


def test_the_users_netrc_is_not_used(
    service: FakeHosted, tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    run(service, tmp_path / "home", film)
    assert not [seen for seen in service.seen if "authorization" in seen.headers]


def test_the_record_is_for_this_user_only(service: FakeHosted, tmp_path: Path, film: Path) -> None:
    service.faults.no_output = True
    with pytest.raises(PromptreelError):
        run(service, tmp_path / "home", film)
    (record,) = (tmp_path / "home" / "hosted").glob("*.job.json")
    assert record.stat().st_mode & 0o077 == 0


def test_a_key_that_is_none_is_not_repeated() -> None:
    with pytest.raises(InputError, match="The API key has a space") as caught:
        HostedApi(key="rf secret")
    assert "secret" not in str(caught.value)
