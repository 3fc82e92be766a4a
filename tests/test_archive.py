"""An archive is fetched with patience and unpacked with suspicion."""

from __future__ import annotations

import gzip
import tarfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from made_up_cifar10 import (
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

from shattered_lite import data

PART = f"{ARCHIVE}.part"


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
    assert host.asked == [None, f"bytes={kept}-"]
    assert host.sent[1] == len(PACKED) - kept
    assert_complete(tmp_path)


STALE = {
    "the server ignores ranges": (PACKED[:1000], Host(ranges=False), ["bytes=1000-"]),
    "the server has no such range": (PACKED[:1000], Host(statuses=[416]), ["bytes=1000-", None]),
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


def test_an_endless_download_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(Host):
        def answer(self, request: BaseHTTPRequestHandler) -> None:
            super().answer(request)
            for _ in range(2**12):  # 256 MB, or until the reader hangs up
                request.wfile.write(bytes(2**16))
                self.sent.append(2**16)

    host = Endless(says_length=False)
    with serving(host) as url:
        publish(monkeypatch, url=url)
        with pytest.raises(ValueError, match=rf"bytes, but {len(PACKED):,} are needed"):
            data.cifar10(tmp_path)
    assert len(host.sent) < 2**12
    assert snapshot(tmp_path) == {}


REFUSED = {
    "a page of another length": (Host(b"<html>Please log in</html>"), ValueError, f"but {len(PACKED):,} are needed"),
    "not found": (Host(statuses=[404]), ConnectionError, "404 Client Error.* 1,000 of .* kept"),
    "broken": (Host(statuses=[503]), ConnectionError, "503 Server Error"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_arrived_survives_a_bad_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    host, error, message = REFUSED[case]
    host.ranges = False
    (tmp_path / PART).write_bytes(PACKED[:1000])
    before = snapshot(tmp_path)
    with serving(host) as url:
        publish(monkeypatch, url=url)
        with pytest.raises(error, match=message):
            data.cifar10(tmp_path)
    assert snapshot(tmp_path) == before


def test_a_server_without_any_range_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PART).write_bytes(PACKED[:1000])
    host = Host(statuses=[416, 416, 416])
    with serving(host) as url:
        publish(monkeypatch, url=url)
        with pytest.raises(ConnectionError, match="416 Client Error"):
            data.cifar10(tmp_path)
    assert host.asked == ["bytes=1000-", None]


def test_a_dead_network_is_explained_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Host()) as url:
        pass
    publish(monkeypatch, url=url)  # nobody listens there any more
    with pytest.raises(ConnectionError) as caught:
        data.cifar10(tmp_path / "folder")
    for part in (url, "0 of ", "next call continues", "Offline, put", ARCHIVE, FOLDER, "SHATTERED_DATA"):
        assert part in str(caught.value)
    assert snapshot(tmp_path) == {}


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
