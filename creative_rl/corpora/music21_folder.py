"""Where music21 keeps its corpus; finding it does not import music21."""

import importlib.metadata
import importlib.util
import pathlib


def version() -> str:
    """Of the installed music21.

    Raises:
      ImportError: it is not installed.
    """
    try:
        return importlib.metadata.version("music21")
    except importlib.metadata.PackageNotFoundError as error:
        raise ImportError(
            "the built-in corpora are inside music21: pip install 'creative_rl[data]'"
        ) from error


def files(folder: str, suffixes: tuple[str, ...]) -> list[pathlib.Path]:
    """The files with one of the suffixes in a folder of the corpus, in order of name.

    Raises:
      ImportError: music21 is not installed, or without this part of its corpus.
    """
    version()
    spec = importlib.util.find_spec("music21")
    package = pathlib.Path(spec.origin).parent if spec and spec.origin else pathlib.Path()
    place = package / "corpus" / folder
    found = sorted(path for path in place.glob("*") if path.suffix in suffixes)
    if not found:
        raise ImportError(
            f"this music21 comes without its corpus (nothing in {place}); install the full "
            "package: pip install --force-reinstall music21"
        )
    return found
