"""The data folder: who holds it, and what is said where it cannot be used."""

import errno
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from accountgraph.data_folder import LEAST_FREE_BYTES, StartFailed, hold_data_folder, make_folder

HOLDER = """
import sys
from pathlib import Path
from accountgraph.data_folder import hold_data_folder

lock = hold_data_folder(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    lock = hold_data_folder(tmp_path / "a" / "b")

    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert [file.name for file in (tmp_path / "a" / "b").iterdir()] == ["lock"]
    lock.release()


def test_a_second_process_is_refused_until_the_first_is_gone_even_by_a_kill(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StartFailed, match=r"^another process is running on the data folder [^\n]+; stop it first$"):
            hold_data_folder(tmp_path)
        holder.kill()
        holder.wait(10)

    hold_data_folder(tmp_path).release()


def test_one_process_does_not_hold_it_twice(tmp_path: Path) -> None:
    lock = hold_data_folder(tmp_path)

    with pytest.raises(StartFailed, match="another process"):
        hold_data_folder(tmp_path)
    lock.release()


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StartFailed, match=r"^the data folder [^\n]+ cannot be written: not a directory$"):
        hold_data_folder(tmp_path / "file" / "data")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "cannot be written: read-only file system"),
        (errno.EACCES, "cannot be written: permission denied"),
        (errno.ENOSPC, "^the disk of [^\n]+ is full$"),
    ],
)
def test_a_disk_that_refuses_writing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def refuse(_file: Path, _data: bytes) -> int:
        raise OSError(number, errno_words(number))

    monkeypatch.setattr(Path, "write_bytes", refuse)

    with pytest.raises(StartFailed, match=words):
        make_folder(tmp_path)


def test_a_disk_that_is_nearly_full_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=LEAST_FREE_BYTES - 1))

    with pytest.raises(StartFailed, match=r"nearly full: 63 MB"):
        make_folder(tmp_path)


def errno_words(number: int) -> str:
    """What the system calls an error."""
    return {errno.EROFS: "Read-only file system", errno.EACCES: "Permission denied"}.get(number, "")
