"""Collects static files, but only if they have changed since the last time."""

import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

# The file with the fingerprint of the source files. Written last, so an interrupted collection is repeated.
_STAMP = ".collected-from"


def collect_static() -> bool:
    """Collects static files if a source file has changed. Returns whether it collected them.

    Compressing plotly.min.js takes seconds, which other starts should not take.
    """
    stamp = Path(settings.STATIC_ROOT) / _STAMP
    wanted = _fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted)
    return True


def _fingerprint() -> str:
    """Returns a hash of the names and contents of all source files.

    Modification times are not used, because they change with every checkout or copy.
    """
    total = hashlib.blake2b(digest_size=16)
    total.update(version("whitenoise").encode())
    for name, content in sorted(_source_files()):
        total.update(f"{len(name)}:{name}:{len(content)}:".encode())
        total.update(content)
    return total.hexdigest()


def _source_files() -> Iterator[tuple[str, bytes]]:
    for finder in get_finders():
        for path, storage in finder.list([]):
            with storage.open(path) as file:
                yield f"{getattr(storage, 'prefix', None) or ''}/{path}", file.read()
