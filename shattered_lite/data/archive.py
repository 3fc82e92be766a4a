"""Files of a published archive: found on this machine or fetched, and trusted for their SHA-256 alone."""

from __future__ import annotations

import gzip
import os
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import requests
from tqdm import tqdm


@dataclass(frozen=True)
class Archive:
    """A gzipped tar archive with one folder of equally long files.

    Attributes
    ----------
    url : str
        Where its author publishes it.
    size, sha256 : int, str
        Of the archive, in bytes and as 64 hexadecimal digits.
    folder : str
        Holds the files, in the archive and on this machine.
    file_size : int
        Of each file, in bytes.
    files : dict of str to str
        Name and SHA-256 of each file.
    """

    url: str
    size: int
    sha256: str
    folder: str
    file_size: int
    files: dict[str, str]

    @property
    def name(self) -> str:
        """Name of the archive's own file."""
        return self.url.rpartition("/")[2]


CIFAR_10 = Archive(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    size=170_052_171,
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    folder="cifar-10-batches-bin",
    file_size=30_730_000,
    files={
        "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    },
)


def find(archive: Archive, folder: str | os.PathLike[str] | None = None) -> list[Path]:
    """Paths of an archive's files, verified; files that are missing are unpacked from the archive, fetched if need be.

    Parameters
    ----------
    archive : Archive
        What to look for.
    folder : path, optional
        Where ``archive.folder``, or the archive itself, lies or will lie. By default what the environment variable
        SHATTERED_DATA names, else the user's cache folder.

    Returns
    -------
    list of Path
        In the order of ``archive.files``.

    Raises
    ------
    ValueError
        If a file, the archive or what the server sends is not what was published. Nothing wrong is kept, and no file
        that was there before is touched.
    ConnectionError
        If the download breaks off. What has arrived is kept, and the next call continues there.
    """
    import pooch  # only here: in a notebook without widgets its import prints a warning

    root = Path(folder or os.environ.get("SHATTERED_DATA") or pooch.os_cache("shattered_lite"))
    paths = {name: root / archive.folder / name for name in archive.files}
    missing = {name: path for name, path in paths.items() if not path.exists()}
    for name, path in paths.items():
        if name not in missing:
            _verify(path, archive.file_size, archive.files[name])
    if missing:
        packed = root / archive.name
        if packed.exists():
            _verify(packed, archive.size, archive.sha256)
        else:
            _download(archive, packed)
        _unpack(archive, packed, missing)
    return list(paths.values())


def _fault(path: Path, size: int, sha256: str) -> str | None:
    """What is wrong with a file; None if nothing is."""
    if (found := path.stat().st_size) != size:
        return f"{found:,} bytes, but {size:,} are needed"
    import pooch

    if (digest := pooch.file_hash(str(path))) != sha256:
        return f"SHA-256 is {digest}, but {sha256} is needed"
    return None


def _verify(path: Path, size: int, sha256: str) -> None:
    """Refuse a wrong file, and leave it to its owner."""
    if fault := _fault(path, size, sha256):
        raise ValueError(f"{path}: {fault}. Delete it and call again, and it is fetched anew.")


def _download(archive: Archive, packed: Path) -> None:
    """Fetch the archive; it gets its name only once its SHA-256 is right."""
    part = packed.with_name(packed.name + ".part")
    try:
        _transfer(archive, part)
    except requests.RequestException as error:
        kept = part.stat().st_size if part.exists() else 0
        raise ConnectionError(
            f"{archive.url}: {error}. {kept:,} of {archive.size:,} bytes are kept, and the next call continues there. "
            f"Offline, put {archive.name} in {packed.parent}, or its files in {packed.parent / archive.folder}, "
            "or set SHATTERED_DATA to a folder that has either."
        ) from error
    if fault := _fault(part, archive.size, archive.sha256):
        part.unlink()
        raise ValueError(f"{archive.url}: {fault}. What arrived is deleted; call again, and it is fetched anew.")
    os.replace(part, packed)


def _transfer(archive: Archive, part: Path) -> None:
    """Append to ``part`` what it lacks, or write it anew where it is too long or the server sends everything."""
    start = part.stat().st_size if part.exists() else 0
    start = start if start < archive.size else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(archive.url, headers=headers, stream=True, timeout=30) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable and start:
            part.unlink()
            return _transfer(archive, part)
        response.raise_for_status()
        start = start if response.status_code == requests.codes.partial_content else 0
        length = response.headers.get("Content-Length")
        if length is not None and (offered := start + int(length)) != archive.size:  # a login page of the network, say
            raise ValueError(f"{archive.url}: {offered:,} bytes are offered, but {archive.size:,} are needed")
        part.parent.mkdir(parents=True, exist_ok=True)
        bar = tqdm(total=archive.size, initial=start, unit="B", unit_scale=True, desc=archive.name)
        with bar, open(part, "ab" if start else "wb") as file:
            for chunk in response.iter_content(2**16):
                bar.update(file.write(chunk))
                if file.tell() > archive.size:
                    return
    if part.stat().st_size < archive.size:
        raise requests.ConnectionError("the connection was closed early")


def _unpack(archive: Archive, packed: Path, missing: dict[str, Path]) -> None:
    """Write the missing files, all of them or none. No path comes from the archive."""
    target = packed.parent / archive.folder
    with tempfile.TemporaryDirectory(dir=target if target.exists() else packed.parent) as temporary:
        new = {name: Path(temporary) / name for name in missing}
        try:
            _read_members(archive, packed, new)
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{packed}: not a whole archive ({error})") from error
        target.mkdir(exist_ok=True)
        for name, path in missing.items():
            os.replace(new[name], path)


def _read_members(archive: Archive, packed: Path, new: dict[str, Path]) -> None:
    """Write and verify each named member; everything else in the archive is passed over."""
    wanted = {f"{archive.folder}/{name}": name for name in new}
    with tarfile.open(packed, "r:gz") as tar:
        for member in tar:
            if member.name not in wanted:
                continue
            name = wanted.pop(member.name)
            right = member.isreg() and member.size == archive.file_size
            content = tar.extractfile(member) if right else None
            if content is None:
                raise ValueError(f"{packed}: {member.name}: a regular file of {archive.file_size:,} bytes is needed")
            new[name].write_bytes(content.read(archive.file_size))
            if fault := _fault(new[name], archive.file_size, archive.files[name]):
                raise ValueError(f"{packed}: {member.name}: {fault}")
            if not wanted:
                return
    raise ValueError(f"{packed}: {', '.join(wanted)} missing")
