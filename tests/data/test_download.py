"""A file comes from COURSE_DATA, the cache or the network, in this order, and never with a wrong hash."""

import errno
import gzip
import os
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pooch
import pytest

from course.data import DATASETS, DownloadError, WrongFile, download, fetch, path, read_text, registry
from course.data.registry import Dataset, File

TEXT = "Une phrase à nous.\nEt une autre.\n"


def register(monkeypatch, **files: bytes) -> Dataset:
    """A data set "ours" of these files; ``packed_zip`` stands for ``packed.zip``."""
    entries = {}
    for key, content in files.items():
        name = key.replace("_", ".")
        member = "text.txt" if name.endswith(".zip") else None
        entries[name] = File(name, f"folder/{name}", len(content), sha256(content).hexdigest(), member)
    ours = Dataset("ours", "somebody/something", "c0ffee", "CC0", entries)
    monkeypatch.setitem(DATASETS, "ours", ours)
    return ours


def put(folder, content: bytes, *parts: str):
    file = folder.joinpath(*parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, no COURSE_DATA, and a host that is not there."""
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setattr(download, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(registry, "HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


@pytest.fixture
def host(server, monkeypatch):
    monkeypatch.setattr(registry, "HOST", server.url)
    return server


def files_in(folder) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def test_a_file_is_downloaded_once_and_then_read_from_the_cache(monkeypatch, host, cache, capfd):
    register(monkeypatch, one_txt=TEXT.encode())
    put(host.folder, TEXT.encode(), "somebody", "something", "c0ffee", "folder", "one.txt")
    assert path("ours").read_bytes() == TEXT.encode()
    assert "100%" in capfd.readouterr().err  # the progress bar
    assert path("ours", "one.txt") == cache / "ours" / "one.txt"
    assert host.requests == 1
    assert files_in(cache) == ["ours/one.txt"]


def test_course_data_is_looked_in_first(monkeypatch, tmp_path, cache):
    register(monkeypatch, one_txt=TEXT.encode(), two_txt=b"2")
    mine = put(tmp_path / "mine", TEXT.encode(), "ours", "one.txt")
    put(cache, TEXT.encode(), "ours", "one.txt")
    put(cache, b"2", "ours", "two.txt")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "mine"))
    assert fetch("ours") == {"one.txt": mine, "two.txt": cache / "ours" / "two.txt"}


@pytest.mark.parametrize("served", [b"something else", b""])
def test_a_download_with_the_wrong_hash_is_refused_and_not_kept(monkeypatch, host, cache, served):
    right = register(monkeypatch, one_txt=TEXT.encode()).file().sha256
    put(host.folder, served, "somebody", "something", "c0ffee", "folder", "one.txt")
    with pytest.raises(ValueError, match="not kept") as refusal:
        path("ours")
    assert right in str(refusal.value) and sha256(served).hexdigest() in str(refusal.value)
    assert files_in(cache) == []


def test_a_file_with_the_wrong_hash_is_refused_where_it_lies(monkeypatch, tmp_path, host):
    right = register(monkeypatch, one_txt=TEXT.encode()).file().sha256
    mine = put(tmp_path / "mine", b"something else", "ours", "one.txt")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "mine"))
    with pytest.raises(ValueError, match="Delete it") as refusal:
        path("ours")
    for said in (str(mine), right, sha256(b"something else").hexdigest()):
        assert said in str(refusal.value)
    assert mine.exists() and host.requests == 0


def test_a_download_broken_off_leaves_nothing_and_the_next_one_succeeds(monkeypatch, host, cache):
    content = bytes(range(256)) * 4096
    register(monkeypatch, one_bin=content)
    put(host.folder, content, "somebody", "something", "c0ffee", "folder", "one.bin")
    host.cut = 100_000
    with pytest.raises(DownloadError):
        path("ours")
    assert files_in(cache) == []
    host.cut = None
    assert path("ours").read_bytes() == content


def test_without_a_network_one_sentence_says_which_file_and_where_to_put_it(monkeypatch, cache):
    ours = register(monkeypatch, one_txt=TEXT.encode())
    with pytest.raises(DownloadError) as refusal:
        path("ours")
    said = str(refusal.value)
    assert "one.txt of ours" in said and ours.url(ours.file()) in said and "\n" not in said
    assert said.endswith(f"put it at {cache / 'ours' / 'one.txt'}")
    put(cache, TEXT.encode(), "ours", "one.txt")
    assert read_text("ours") == TEXT


def test_a_page_that_is_not_there_is_a_failed_download(monkeypatch, host):
    register(monkeypatch, one_txt=TEXT.encode())
    with pytest.raises(DownloadError, match=r"\(the server answered 404\): this address may be gone"):
        path("ours")


def test_a_login_page_in_place_of_a_file_is_told(monkeypatch, host, cache):
    register(monkeypatch, one_txt=TEXT.encode())
    page = b"\n<!DOCTYPE html><html>Welcome to the hotel</html>"
    put(host.folder, page, "somebody", "something", "c0ffee", "folder", "one.txt")
    with pytest.raises(WrongFile, match="does the network ask you to log in first"):
        path("ours")
    assert files_in(cache) == []


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, r"\(the disk is full\): make room there, or get .*COURSE_DATA"),
        (errno.EROFS, r"\(Read-only file system\): let yourself write there, or get .*COURSE_DATA"),
        (errno.EACCES, r"\(Permission denied\): let yourself write there, or get .*COURSE_DATA"),
    ],
)
@pytest.mark.parametrize("where", ["the folder", "the file"])
def test_a_cache_that_takes_nothing_in_is_told_apart_from_a_network_that_fails(
    monkeypatch, host, cache, number, said, where
):
    ours = register(monkeypatch, one_txt=TEXT.encode())
    put(host.folder, TEXT.encode(), "somebody", "something", "c0ffee", "folder", "one.txt")

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    if where == "the folder":
        monkeypatch.setattr(Path, "mkdir", refuse)
    else:
        monkeypatch.setattr(pooch.HTTPDownloader, "__call__", refuse)
    with pytest.raises(DownloadError, match=f"one.txt of ours .*{said}") as refusal:
        path("ours")
    assert str(cache) in str(refusal.value) and ours.url(ours.file()) in str(refusal.value)
    assert "\n" not in str(refusal.value) and files_in(cache) == []


def test_a_file_that_may_not_be_read_is_told(monkeypatch, cache):
    register(monkeypatch, one_txt=TEXT.encode())
    mine = put(cache, TEXT.encode(), "ours", "one.txt")

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(pooch, "file_hash", refuse)
    with pytest.raises(DownloadError, match=r"cannot be read .Permission denied.* Delete it") as refusal:
        path("ours")
    assert str(mine) in str(refusal.value)


KILLED = """
import os, signal, sys
from pathlib import Path
from course.data import download
with download._partial_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half of it")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_download_left_is_removed_by_the_next_and_no_other(monkeypatch, host, cache):
    register(monkeypatch, one_txt=TEXT.encode(), two_txt=b"2")
    for name, content in (("one.txt", TEXT.encode()), ("two.txt", b"2")):
        put(host.folder, content, "somebody", "something", "c0ffee", "folder", name)
    (cache / "ours").mkdir(parents=True)
    command = [sys.executable, "-c", KILLED, str(cache / "ours")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen(command, **pipes) as other:
        left = Path(other.stdout.readline().strip())
        path("ours", "one.txt")
        assert (left / "half").exists()  # it is still at work
        other.kill()
    path("ours", "two.txt")
    assert files_in(cache) == ["ours/one.txt", "ours/two.txt"] and not left.exists()


def test_a_notebook_shows_the_sentence_alone(monkeypatch):
    register(monkeypatch, one_txt=TEXT.encode())
    with pytest.raises(DownloadError) as refusal:
        path("ours")
    [line] = refusal.value._render_traceback_()
    assert line == f"DownloadError: {refusal.value}"


def test_text_is_unpacked_and_decoded(monkeypatch, tmp_path, cache):
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("about.txt", "not this")
        archive.writestr("text.txt", TEXT)
    contents = {
        "plain_txt": TEXT.encode(),
        "marked_txt": TEXT.encode("utf-8-sig"),
        "packed_gz": gzip.compress(TEXT.encode()),
        "packed_zip": (tmp_path / "packed.zip").read_bytes(),
    }
    for file, content in zip(register(monkeypatch, **contents).files, contents.values(), strict=True):
        put(cache, content, "ours", file)
        assert read_text("ours", file) == TEXT, file


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("tatoeba", None, "no data set 'tatoeba'; there are tatoeba_fra_eng"),
        ("rt_polarity", None, "rt-polarity.pos, rt-polarity.neg; which one"),
        ("rt_polarity", "pos", "got 'pos'"),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_exist(name, file, said):
    with pytest.raises(ValueError, match=f"(?i){said}"):
        path(name, file)


def test_every_entry_of_the_registry_is_whole():
    for name, source in DATASETS.items():
        assert source.licence and source.files, name
        assert len(source.commit) == 40 and int(source.commit, 16)
        for file in source.files.values():
            assert file.bytes > 0 and len(file.sha256) == 64 and int(file.sha256, 16)
            assert source.url(file).endswith(f"/{source.commit}/{file.path}")


def test_the_real_files_are_those_of_the_registry(real_data):
    for name, source in DATASETS.items():
        for file, found in ({} if source.large else fetch(name)).items():
            assert found.stat().st_size == source.files[file].bytes
