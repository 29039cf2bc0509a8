"""A run as one page that opens anywhere: curves, tables, pictures and players, no network.

Of many long sounds the last are files beside it, in `works/` (see `page_sounds`).
"""

import json
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from creative_rl.atomic import data_uri, write_bytes
from creative_rl.experiment.learning_curves import Curve, families, read_curves
from creative_rl.experiment.page_sounds import Sounds
from creative_rl.experiment.records import Record, read_records

if TYPE_CHECKING:
    from creative_rl.works.dialogue_words import Line

_MEDIA_TYPES = {
    "png": "image/png",
    "target": "image/png",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "wav": "audio/wav",
    "mp4": "video/mp4",
    "glb": "model/gltf-binary",
    "stl": "model/stl",
    "mid": "audio/midi",
    "musicxml": "application/vnd.recordare.musicxml+xml",
    "json": "application/json",
    "txt": "text/plain",
}
_PICTURES = {"target": "target", "png": "the work", "gif": "the making"}
"""Shown as pictures, in this order, under these names."""
_MUSIC_PICTURES = {"png": "piano roll", "svg": "engraved"}
_OTHER_PICTURES = {
    "Melody": _MUSIC_PICTURES,
    "Score": _MUSIC_PICTURES,
    "Slate": {"svg": "what was shown, and what was chosen"},
    "Sculpture": {"target": "target", "gif": "turning"},
    "Animation": {"gif": "the film", "png": "some of its frames"},
    "Clip": {"gif": "the film", "png": "some of its frames"},
}
"""The same of kinds that have others."""
_LABELS = {"mid": "MIDI", "musicxml": "MusicXML", "txt": "text"}
_TABLES = ("table.json", "evaluation.json")
_GROUPS = {"best": "Best works", "sample": "Samples"}

_MOST_ITEMS = 16
"""Of a list, such as the tokens of a vocabulary, that are shown."""


class Card(NamedTuple):
    """A work on the page; pictures, `player` and links are data URIs, `text` is to be read.

    `sound_file` is where the whole sound lies, if it is not in the page. `work` names its kind, so
    that the few pixels of a canvas are shown as squares, and systems of engraved music as wide as
    the card.
    """

    title: str
    work: str
    pictures: list[tuple[str, str]]  # what it shows, data URI
    player: str | None
    sound_file: str | None
    text: str | None
    links: list[tuple[str, str, str]]  # format, file name, data URI
    scores: Mapping[str, Any]
    lines: list["Line"]  # of a dialogue


def write_report(run_dir: pathlib.Path, beside: Iterable[pathlib.Path] = ()) -> pathlib.Path:
    """Write `report.html` into a run's directory, from what lies there.

    Only `config.json` must be there; a section whose source is missing is left out:
    `metrics.jsonl` (curves), `table.json` (of the demo), `evaluation.json`, `works/index.json`
    (cards), and the curves of the runs `beside` it and of directories inside that hold a
    `config.json` of their own.

    Returns:
      The path of the page, which replaces an earlier one at the end.

    Raises:
      ValueError: a file is damaged; the line names it and the reason.
      ImportError: jinja2 or Matplotlib is not installed.
    """
    run_dir = pathlib.Path(run_dir)
    config = _read_json(run_dir / "config.json", dict)
    records = read_records(run_dir / "metrics.jsonl")
    curves = read_curves(records)
    page = template().render(
        title=_title(config, run_dir),
        created=config.get("created"),
        tiles=_tiles(records, curves),
        tables=[table for name in _TABLES if (table := _read_table(run_dir / name))],
        groups=_groups(run_dir / "works"),
        curves=families(curves),
        num_seeds=max((curve.values.shape[1] for curve in curves), default=1),
        sub_runs=_sub_runs([*beside, *sorted(run_dir.iterdir())]),
        spec=_flatten(config.get("spec")),
        machine=_flatten({key: value for key, value in config.items() if key != "spec"}),
    )
    return write_bytes(run_dir / "report.html", page.encode())


def template(name: str = "report.html") -> Any:
    """A page's template.

    Raises:
      ImportError: jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise ImportError("reports need jinja2: pip install 'creative_rl[media]'") from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("creative_rl.experiment"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["cell"] = _cell
    environment.tests["numeric"] = _is_numeric
    return environment.get_template(name)


def _read_json(path: pathlib.Path, kind: type) -> Any:
    """The file's JSON, which must be a `kind` at the top."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"cannot read {path}: {error}") from error
    if not isinstance(value, kind):
        raise ValueError(f"cannot read {path}: it must hold a {kind.__name__} at the top")
    return value


def _read_table(path: pathlib.Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    table = _read_json(path, dict)
    table = {"title": "Results", "columns": [], "rows": [], "notes": [], **table}
    lists = [table["columns"], table["rows"], table["notes"]]
    if not all(isinstance(part, list) for part in [*lists, *lists[1]]):
        raise ValueError(f"cannot read {path}: columns, notes, rows and each row must be lists")
    return table


def _title(config: Mapping[str, Any], run_dir: pathlib.Path) -> str:
    names = [_dict(config.get("spec")).get(key) for key in ("learner", "environment")]
    return " on ".join(str(name) for name in names if name) or run_dir.resolve().name


def _tiles(records: Sequence[Record], curves: list[Curve]) -> list[tuple[str, str]]:
    """The run in a few figures, as (what, figure)."""
    tiles = [("return, last", _cell(c.last)) for c in curves if c.name == "episode_return"]
    last: dict[str, Any] = records[-1] if records else {}
    steps, seconds = last.get("steps"), last.get("seconds")
    if _is_numeric(steps):
        tiles.append(("environment steps", _cell(steps)))
    if _is_numeric(seconds):
        tiles.append(("seconds", f"{seconds:,.1f}"))
        if _is_numeric(steps) and seconds:
            tiles.append(("steps a second", f"{steps / seconds:,.0f}"))
    return tiles


def _sub_runs(folders: Iterable[pathlib.Path]) -> list[tuple[str, list]]:
    """Name and curves of those folders that are runs."""
    runs = []
    for folder in folders:
        if (folder / "config.json").is_file():
            config = _read_json(folder / "config.json", dict)
            curves = read_curves(read_records(folder / "metrics.jsonl"))
            runs.append((f"{folder.name}: {_title(config, folder)}", families(curves)))
    return [(title, curves) for title, curves in runs if curves]


def _groups(works_dir: pathlib.Path) -> list[tuple[str, list[Card]]]:
    """The works' cards under their groups' titles, in the index's order."""
    path = works_dir / "index.json"
    if not path.is_file():
        return []
    groups: dict[str, list[Card]] = {}
    sounds = Sounds()
    for entry in _read_json(path, list):
        if not isinstance(entry, dict):
            raise ValueError(f"cannot read {path}: every work must be a dict, got {entry!r}")
        group = str(entry.get("group", ""))
        groups.setdefault(_GROUPS.get(group, group.capitalize() or "Works"), []).append(
            _card(works_dir, entry, sounds)
        )
    return list(groups.items())


def _card(works_dir: pathlib.Path, entry: Mapping[str, Any], sounds: Sounds) -> Card:
    data, names, text, sound_file = {}, {}, None, None
    work = str(entry.get("work", ""))
    for form, name in _dict(entry.get("files")).items():
        # A plain name in a known format: an index from elsewhere reads no other files.
        if form in _MEDIA_TYPES and pathlib.PurePath(str(name)).name == name:
            path = works_dir / name
            if path.is_file() and not path.is_symlink():
                whole = path.read_bytes()
                content = sounds.fitted(whole) if form == "wav" else whole
                if content != whole:
                    sound_file = f"{works_dir.name}/{name}"
                if content is None:
                    continue
                data[form] = data_uri(_MEDIA_TYPES[form], content)
                names[form] = name
                if (work, form) == ("Text", "txt"):
                    text = content.decode(errors="replace")
    pictures = _OTHER_PICTURES.get(work, _PICTURES)
    shown = {form for form in data if form in (*pictures, "wav")}
    return Card(
        title=str(entry.get("title") or entry.get("name") or "work"),
        work=work,
        pictures=[(label, data[form]) for form, label in pictures.items() if form in data],
        player=data.get("wav"),
        sound_file=sound_file,
        text=text,
        links=[
            (_LABELS.get(form, form.upper()), names[form], data[form])
            for form in data
            if form not in shown
        ],
        scores=_dict(entry.get("scores")),
        lines=_lines(works_dir / names["json"]) if work == "Dialogue" and "json" in names else [],
    )


def _lines(path: pathlib.Path) -> list["Line"]:
    """A dialogue's turns; the file says itself what is wrong with it."""
    # Here, because works need JAX, and a page without dialogues does not.
    from creative_rl.works import Dialogue, load
    from creative_rl.works.dialogue_words import Line, goal, lines, summary

    work = load(path)
    if not isinstance(work, Dialogue):
        return []
    wanted, ended = f"The user {goal(work)}.", f"{summary(work)}."
    return [Line("about", wanted, None), *lines(work), Line("about", ended, None)]


def _flatten(values: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dicts as one, with dotted names; anything but a dict has no names."""
    flat = {}
    for key, value in _dict(values).items():
        if isinstance(value, dict):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_numeric(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    """A value as a reader expects it: four figures, thousands apart, no quotation marks."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if 10_000 <= abs(value) < 1e12 else f"{value:.4g}"
    if isinstance(value, list):
        shown = ", ".join(_cell(item) for item in value[:_MOST_ITEMS])
        more = len(value) - _MOST_ITEMS
        return f"{shown}, and {more:,} more" if more > 0 else shown
    return json.dumps(value) if isinstance(value, dict) else str(value)
