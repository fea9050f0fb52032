"""Model files that are there, and output files, all of them or nothing: a temporary file in the same folder, fsync, rename."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from symgrad.errors import InputError

NEW_FILE = 0o666  # what `open` creates, before the umask


def check_model(path: str) -> None:
    """InputError where there is no model file to read at `path`; `-` is standard input.

    Nothing is opened: what comes through a pipe can be read only once.
    """
    try:
        is_folder = path != "-" and stat.S_ISDIR(os.stat(path).st_mode)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; give the path of a model file") from None
    except OSError:
        return  # whoever reads the file says what else is wrong
    if is_folder:
        raise InputError(f"{path}: is a folder; give the path of a model file")


def check_folder(path: str) -> None:
    """InputError where `path` names a file in a folder that is not there, before anything long begins; `-` is no file."""
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        raise InputError(f"{path}: there is no folder {folder}; make it, or write somewhere else")


def write_text(path: str | os.PathLike[str], text: str) -> None:
    r"""The file `path` holds `text` in UTF-8, or what it held before; a failure is an error that names the file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(folder + "/grads.py", "import numpy as np\n")
    ...     os.listdir(folder), Path(folder, "grads.py").read_text()
    (['grads.py'], 'import numpy as np\n')
    """
    write_bytes(path, text.encode())


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """The file `path` holds `content`, or what it held before; a failure is an error that names the file.

    A file that is replaced keeps its permissions, a link its target; a device or a pipe is written to as it is.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = _mode(target)
        if mode is not None and not stat.S_ISREG(mode):
            target.write_bytes(content)
            return
        _replace(target, content, NEW_FILE & ~_umask() if mode is None else stat.S_IMODE(mode))
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder; name a file in it") from None
    except OSError as e:
        raise InputError(f"{path}: {(e.strerror or 'cannot be written').lower()}; write somewhere else") from None


def _mode(target: Path) -> int | None:
    try:
        return target.stat().st_mode
    except FileNotFoundError:
        return None


def _replace(target: Path, content: bytes, permissions: int) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, permissions)
        os.replace(temporary, target)
    finally:
        # After the rename there is nothing left of this name.
        Path(temporary).unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable, where the system can open folders."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    # There is no way to read it but to set it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
