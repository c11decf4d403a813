"""The version of this product."""

from importlib.metadata import PackageNotFoundError, version


def _read() -> str:
    try:
        return version("accountgraph")
    except PackageNotFoundError:  # a checkout that is run without being installed
        return "0.1.0"


VERSION = _read()
