"""What is published is fetched with patience and unpacked with suspicion."""

from __future__ import annotations

import copy
import gzip
import shutil
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from made_up_data import (
    ARCHIVE,
    FILES,
    FOLDER,
    NAMES,
    PACKED,
    SIZE,
    Host,
    Member,
    flipped,
    member,
    members,
    pack,
    publish,
    put,
    serving,
    snapshot,
)

from shattered_lite.lab import data

PART = f"{ARCHIVE}.part"
OVERLAP = 64  # bytes of what is there that are asked for again
ASKED = f"bytes={1000 - OVERLAP}-"  # where 1,000 are there
PAGE = b"<html>Please log in</html>"


def assert_complete(folder: Path) -> None:
    found = {name: state[0] for name, state in snapshot(folder).items() if state}
    assert found == {ARCHIVE: PACKED} | {f"{FOLDER}/{name}": content for name, content in FILES.items()}


def test_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    host = Host()
    with serving(host) as url:
        publish(monkeypatch, url=url)
        first = data.cifar10(tmp_path / "new" / "folder")
    assert_complete(tmp_path / "new" / "folder")
    assert (host.asked, host.encodings) == ([None], ["identity"])
    assert f"{ARCHIVE}: 100%" in capsys.readouterr().err
    again = data.cifar10(tmp_path / "new" / "folder")  # the server is gone
    assert all(a.equal(b) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("says_length", [True, False])
def test_a_download_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says_length: bool) -> None:
    host = Host(hangs_up_after=len(PACKED) // 2, says_length=says_length)
    with serving(host) as url:
        publish(monkeypatch, url=url)
        with pytest.raises(ConnectionError) as caught:
            data.cifar10(tmp_path)
        content, _ = snapshot(tmp_path)[PART]
        kept = len(content)
        assert set(snapshot(tmp_path)) == {PART}
        assert 0 < kept <= len(PACKED) // 2
        assert content == PACKED[:kept]
        assert f"{kept:,} of {len(PACKED):,} bytes are kept, and the next call continues there" in str(caught.value)
        data.cifar10(tmp_path)
    assert host.asked == [None, f"bytes={kept - OVERLAP}-"]
    assert host.sent[1] == len(PACKED) - kept + OVERLAP
    assert_complete(tmp_path)


STALE = {
    "the server ignores ranges": (PACKED[:1000], Host(ranges=False), [ASKED]),
    "the server has no such range": (PACKED[:1000], Host(statuses=[416]), [ASKED, None]),
    "the server sends the whole as a range": (PACKED[:1000], Host(shift=-len(PACKED)), [ASKED, None]),
    "the server sends the range before": (PACKED[:1000], Host(shift=-1), [ASKED, None]),
    "the server sends a range further on": (PACKED[:1000], Host(shift=1), [ASKED, None]),
    "the end there is wrong": (PACKED[:900] + bytes(100), Host(), [ASKED, None]),
    "another archive was begun": (pack(members(folder="other"))[:1000], Host(ranges=False), [ASKED]),
    "a page lies there": (PAGE * 100, Host(ranges=False), [f"bytes={len(PAGE) * 100 - OVERLAP}-"]),
    "less than the overlap": (PACKED[:10], Host(), [None]),
    "all of it, before it was named": (PACKED, Host(), []),
    "as long as the whole": (bytes(len(PACKED)), Host(), [None]),
    "longer than the whole": (PACKED + b"more", Host(), [None]),
    "empty": (b"", Host(), [None]),
}


@pytest.mark.parametrize("case", STALE)
def test_a_download_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    part, host, asked = STALE[case]
    (tmp_path / PART).write_bytes(part)
    with serving(host) as url:
        publish(monkeypatch, url=url)
        data.cifar10(tmp_path)
    assert host.asked == asked
    assert_complete(tmp_path)


WRONG = {
    "other content": (None, flipped(PACKED, 7)),
    "other beginning": (flipped(PACKED[:1000], 7), PACKED),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_download_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    part, content = WRONG[case]
    if part:
        (tmp_path / PART).write_bytes(part)
    with serving(Host(content)) as url:
        publish(monkeypatch, url=url)
        with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz: SHA-256 is .* call again"):
            data.cifar10(tmp_path)
    assert snapshot(tmp_path) == {}


@dataclass
class Endless(Host):
    """After its content it sends as much again as a reader takes, or 256 MB."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        super().answer(request)
        for _ in range(2**12):
            request.wfile.write(bytes(2**16))
            self.sent.append(2**16)


@pytest.mark.parametrize("there", [b"", PACKED[:1000]], ids=["nothing there", "some there"])
def test_an_endless_answer_is_left_once_all_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bytes
) -> None:
    host = Endless(says_length=False)
    (tmp_path / PART).write_bytes(there)
    with serving(host) as url:
        publish(monkeypatch, url=url)
        data.cifar10(tmp_path)
    assert_complete(tmp_path)
    assert len(host.sent) < 2**12


def test_a_length_that_is_no_number_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PART).write_bytes(PACKED[:1000])
    for headers in ({"Content-Length": "abc"}, {"Content-Length": ""}):
        with serving(Host(headers=headers)) as url:
            publish(monkeypatch, url=url)
            data.cifar10(tmp_path)
        assert_complete(tmp_path)
        (tmp_path / ARCHIVE).unlink()
        shutil.rmtree(tmp_path / FOLDER)


@dataclass
class Redirecting(Host):
    """Whatever is asked for, it sends on to another page of its own."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if request.path == "/login":
            return super().answer(request)
        request.send_response(302)
        request.send_header("Location", "/login")
        return request.end_headers()


NO_ARCHIVE = "sent no gzip file, but perhaps a page that asks for a login: open it in a browser"
REFUSED = {
    "a page": (Host(PAGE, ranges=False), ValueError, NO_ARCHIVE),
    "a page of no length": (Host(PAGE, ranges=False, says_length=False), ValueError, NO_ARCHIVE),
    "a page as a range": (Host(PAGE, statuses=[206, 200], ranges=False, says_length=False), ValueError, NO_ARCHIVE),
    "a page elsewhere": (Redirecting(PAGE, ranges=False), ValueError, rf"/login {NO_ARCHIVE}"),
    "a page as long as the archive": (Host(PAGE.ljust(len(PACKED)), ranges=False), ValueError, NO_ARCHIVE),
    "nothing": (Host(b"", ranges=False), ValueError, "sent nothing: open it"),
    "nothing, of no length": (Host(b"", ranges=False, says_length=False), ValueError, "sent nothing: open it"),
    "nothing, as a range": (Host(b"", statuses=[206, 200], ranges=False), ValueError, "sent nothing: open it"),
    "another archive": (Host(PACKED + b"more", ranges=False), ValueError, f"bytes, but {len(PACKED):,} are needed"),
    "no gzip, which it says it is": (
        Host(PAGE, ranges=False, headers={"Content-Encoding": "gzip"}), ConnectionError, "failed to decode",
    ),
    "a redirection without end": (Host(statuses=[302] * 99, headers={"Location": "/"}), ConnectionError, "redirects"),
    "not found": (Host(statuses=[404]), ConnectionError, "404 Client Error"),
    "broken": (Host(statuses=[503]), ConnectionError, "503 Server Error"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("there", [0, 1000])
def test_what_has_arrived_survives_a_bad_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, there: int
) -> None:
    """One sentence says what came and what to do; afterwards a good server is asked for the rest alone."""
    host, error, message = copy.deepcopy(REFUSED[case])
    if there:
        (tmp_path / PART).write_bytes(PACKED[:there])
    before = snapshot(tmp_path)
    with serving(host) as url:
        publish(monkeypatch, url=url)
        with pytest.raises(
            error, match=rf"{message}.* {there:,} of [\d,]+ bytes are kept, and the next call continues"
        ):
            data.cifar10(tmp_path)
    assert snapshot(tmp_path) == before
    with serving(good := Host()) as url:
        publish(monkeypatch, url=url)
        data.cifar10(tmp_path)
    assert good.asked == [ASKED if there else None]
    assert_complete(tmp_path)


def test_processes_that_call_at_once_fetch_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    with serving(host) as url, ThreadPoolExecutor(4) as pool:
        archive = publish(monkeypatch, url=url)
        found = [pool.submit(data._published.find, archive, tmp_path) for _ in range(4)]
        assert len({tuple(each.result()) for each in found}) == 1
    assert host.asked == [None]
    assert_complete(tmp_path)


def test_what_a_killed_process_unpacked_is_not_heaped_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = publish(monkeypatch)
    (tmp_path / ARCHIVE).write_bytes(PACKED)

    class Killed(BaseException):
        pass

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *_, **__: None)  # nor would one that is killed come to that
        patch.setattr(data._published, "put_in_place", dies)
        with pytest.raises(Killed):
            data._published.find(archive, tmp_path)
    assert any(path.name.endswith(".new") for path in tmp_path.iterdir())
    data._published.find(archive, tmp_path)
    assert_complete(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [FOLDER, ARCHIVE]


def test_a_server_without_any_range_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PART).write_bytes(PACKED[:1000])
    host = Host(statuses=[416, 416, 416])
    with serving(host) as url:
        publish(monkeypatch, url=url)
        with pytest.raises(ConnectionError, match="416 Client Error"):
            data.cifar10(tmp_path)
    assert host.asked == [ASKED, None]


def test_a_dead_network_is_explained_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Host()) as url:
        pass
    publish(monkeypatch, url=url)  # nobody listens there any more
    with pytest.raises(ConnectionError) as caught:
        data.cifar10(tmp_path / "folder")
    for part in (url, "0 of ", "next call continues", "Offline, put", ARCHIVE, FOLDER, "SHATTERED_DATA"):
        assert part in str(caught.value)
    assert snapshot(tmp_path) == {"folder": None}


def test_a_wrong_archive_is_named_and_left_to_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch)
    for wrong, fault in [(PACKED[:-1], "bytes, but"), (flipped(PACKED, 9), "SHA-256 is")]:
        (tmp_path / ARCHIVE).write_bytes(wrong)
        before = snapshot(tmp_path)
        with pytest.raises(ValueError, match=f"{ARCHIVE}: .*{fault}.*Delete it and call again"):
            data.cifar10(tmp_path)
        assert snapshot(tmp_path) == before


def test_an_archive_with_more_than_the_files_leaves_only_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = [
        "../evil",
        str(tmp_path / "evil"),
        f"{FOLDER}/../../evil",
        f"{FOLDER}/evil",
        f"{FOLDER}/sub/data_batch_1.bin",
    ]
    packed = pack([member(name, b"evil") for name in evil] + members())
    publish(monkeypatch, packed)
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    (folder / ARCHIVE).write_bytes(packed)
    data.cifar10(folder)
    found = {str(path.relative_to(folder)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {ARCHIVE, *(f"{FOLDER}/{name}" for name in NAMES)}


def changed(**files: bytes) -> list[Member]:
    return members(FILES | {f"{name}.bin": content for name, content in files.items()})


def instead(of: str, other: Member) -> list[Member]:
    return [other if info.name == f"{FOLDER}/{of}" else (info, content) for info, content in members()]


def with_header(kind: bytes, size: int) -> bytes:
    """In the last file's place only a header with this size, after a member that holds what the file should."""
    header = tarfile.TarInfo(f"{FOLDER}/{NAMES[5]}")
    header.size, header.type, header.linkname = size, kind, "decoy.bin"
    decoy = member(f"{FOLDER}/decoy.bin", FILES[NAMES[5]])
    return pack([*members()[:5], decoy, (header, b"")])


LAST, PATH = NAMES[4], f"{FOLDER}/{NAMES[4]}"
HOSTILE = {
    "empty": (b"", "not a whole archive"),
    "no archive": (b"<html>Please log in</html>" * 100, "not a whole archive"),
    "truncated": (PACKED[: len(PACKED) // 2], "not a whole archive"),
    "corrupted": (flipped(PACKED, len(PACKED) // 2), "not a whole archive|SHA-256 is"),
    # more than a block of a gzip stream, so that the start of one is overwritten
    "overwritten": (PACKED[:100_000] + 70_000 * b"\xff" + PACKED[170_000:], "not a whole archive"),
    "ends in junk": (gzip.compress(gzip.decompress(PACKED)[:100_000]) + b"junk", "not a whole archive"),
    "corrupted member": (pack(changed(data_batch_5=flipped(FILES[LAST], 5))), f"{PATH}: SHA-256 is"),
    "swapped": (pack(changed(data_batch_4=FILES[LAST], data_batch_5=FILES[NAMES[3]])), "data_batch_4.bin: SHA-256 is"),
    "missing": (pack([each for each in members() if each[0].name != PATH]), f"{PATH} missing"),
    "upwards": (pack(members(folder=f"../{FOLDER}")), "missing"),
    "absolute": (pack(instead(LAST, member(f"/{PATH}", FILES[LAST]))), f"{PATH} missing"),
    "symbolic link": (pack(instead(LAST, member(PATH, kind=tarfile.SYMTYPE, link="/etc/passwd"))), "a regular file"),
    "hard link": (pack(instead(LAST, member(PATH, kind=tarfile.LNKTYPE, link=f"{FOLDER}/{NAMES[0]}"))), "regular file"),
    "folder": (pack(instead(LAST, member(PATH, kind=tarfile.DIRTYPE))), "a regular file"),
    "device": (pack(instead(LAST, member(PATH, kind=tarfile.CHRTYPE))), "a regular file"),
    "short": (pack(instead(LAST, member(PATH, FILES[LAST][:-1]))), "a regular file of 61,460 bytes"),
    "bomb": (pack(instead(LAST, member(PATH, bytes(2**26)))), "a regular file of 61,460 bytes"),
    "bomb that claims": (with_header(tarfile.REGTYPE, 2**50), "a regular file of 61,460 bytes"),
    "link that claims": (with_header(tarfile.SYMTYPE, SIZE), "a regular file of 61,460 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("present", [(), NAMES[:1]], ids=["none there", "one there"])
def test_a_hostile_archive_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, present: list[str]
) -> None:
    """Even where its own SHA-256 were the published one."""
    packed, message = HOSTILE[case]
    publish(monkeypatch, packed)
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    if present:
        put(folder, {name: FILES[name] for name in present})
    (folder / ARCHIVE).write_bytes(packed)
    before = snapshot(tmp_path)
    with pytest.raises(ValueError, match=message):
        data.cifar10(folder)
    assert snapshot(tmp_path) == before
