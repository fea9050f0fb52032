"""Output files: all or nothing, whatever stands there before."""

import os
import stat

import pytest

import symgrad.files as files
from symgrad.errors import InputError
from symgrad.files import write_bytes, write_text


def test_a_new_file_has_the_permissions_that_open_gives(tmp_path):
    write_text(tmp_path / "a.py", "x = 'β'\n")
    (tmp_path / "b.py").write_text("")
    assert (tmp_path / "a.py").read_bytes() == "x = 'β'\n".encode()
    assert (tmp_path / "a.py").stat().st_mode == (tmp_path / "b.py").stat().st_mode


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("old")
    path.chmod(0o640)
    write_text(path, "new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.py"
    path.write_text("old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(InputError, match=r"a\.py: no space left on device; "):
        write_text(path, "new")
    assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["a.py"])


def test_the_content_is_on_disk_before_the_name(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(files.os, "fsync", lambda h: (calls.append("fsync"), fsync(h)))
    monkeypatch.setattr(files.os, "replace", lambda a, b: (calls.append("replace"), replace(a, b)))
    write_text(tmp_path / "a.py", "x")
    assert calls[:2] == ["fsync", "replace"]


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target.py", tmp_path / "link.py"
    target.write_text("old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_device_is_written_to_not_replaced():
    write_bytes("/dev/null", b"x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize(("name", "what"), [("", "is a folder"), ("no/such.py", "no such file or directory")])
def test_what_cannot_be_written_is_named(tmp_path, name, what):
    with pytest.raises(InputError, match=what) as caught:
        write_text(tmp_path / name, "x")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))
