"""The report: one page, safe and whole, from whatever a run's directory holds."""

import base64
import html.parser
import io
import json
import re
import wave

import numpy as np
import pytest
from PIL import Image
from works.dialogues import GOOD

from creative_rl import works
from creative_rl.experiment.learning_curves import MOST_POINTS, families, read_curves
from creative_rl.experiment.report import write_report
from creative_rl.works.notation import parse

HOSTILE = '<script>alert("x")</script> & \'"><img src=x onerror=alert(1)>'


class Tags(html.parser.HTMLParser):
    """All start tags of a page, with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_metrics(path, num_updates, **metrics):
    records = [
        {"update": i, "steps": 100 * (i + 1), "seconds": float(i + 1)}
        | {name: fn(i) for name, fn in metrics.items()}
        for i in range(num_updates)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def run(tmp_path):
    """A run with every piece, its titles hostile."""
    spec = {"environment": "melody-theory", "learner": "ppo", "config": {"gamma": 0.99}}
    write_json(tmp_path / "config.json", {"spec": spec, "hash": "abc", "device": HOSTILE})
    write_metrics(
        tmp_path / "metrics.jsonl",
        20,
        episode_return=lambda i: [float(i), float(i + 2)],
        term_key=lambda i: -0.1 * i,
        **{HOSTILE: lambda i: i},
    )
    table = {"title": HOSTILE, "columns": ["metric", HOSTILE], "rows": [[HOSTILE, 0.12345]]}
    write_json(tmp_path / "table.json", table | {"notes": [HOSTILE]})
    files = {}
    (tmp_path / "works").mkdir()
    for suffix in ("mid", "wav", "png", "json"):
        files[suffix] = works.save(parse("C4 - E4 ."), tmp_path / f"works/best-00.{suffix}").name
    entry = {"name": "best-00", "group": "best", "title": HOSTILE, "files": files}
    write_json(tmp_path / "works/index.json", [entry | {"scores": {"episode_return": 12.5}}])
    write_json(tmp_path / "prior/config.json", {"spec": {"learner": "likelihood"}})
    write_metrics(tmp_path / "prior/metrics.jsonl", 5, nll=lambda i: 3.0 - i)
    return tmp_path


def decoded(uri, media_type):
    start = f"data:{media_type};base64,"
    assert uri.startswith(start)
    return base64.b64decode(uri.removeprefix(start), validate=True)


def test_hostile_words_are_shown_and_not_run(run):
    page = write_report(run).read_text()
    tags = Tags(page)
    assert not tags.all("script")
    assert not any("onerror" in attributes for _, attributes in tags.found)
    assert len(tags.all("img")) == 1
    assert page.count("&lt;script&gt;") >= 7


def test_the_page_needs_no_network(run):
    page = write_report(run).read_text()
    assert re.search(r"https?://|@import|url\((?!#)", page) is None
    for _, attributes in Tags(page).found:
        for name in ("src", "href", "xlink:href"):
            if name in attributes:
                assert attributes[name].startswith(("data:", "#"))


def test_pictures_players_and_downloads_are_the_files(run):
    tags = Tags(write_report(run).read_text())
    picture = decoded(tags.all("img")[0]["src"], "image/png")
    assert Image.open(io.BytesIO(picture)).format == "PNG"
    sound = decoded(tags.all("audio")[0]["src"], "audio/wav")
    with wave.open(io.BytesIO(sound)) as file:
        assert file.getnframes() > 1000
    links = {attributes["download"]: attributes["href"] for attributes in tags.all("a")}
    assert set(links) == {"best-00.mid", "best-00.json"}
    midi = (run / "works/best-00.mid").read_bytes()
    assert decoded(links["best-00.mid"], "audio/midi") == midi


@pytest.mark.parametrize(
    ("work", "shown", "links"),
    [
        ("Score", ["image/png", "image/svg+xml"], {"MIDI", "MusicXML"}),
        ("Melody", ["image/png", "image/svg+xml"], {"MIDI", "MusicXML"}),
        ("Canvas", ["image/png"], {"MIDI", "MusicXML", "SVG"}),
    ],
)
def test_music_is_shown_engraved_and_other_drawings_are_links(tmp_path, work, shown, links):
    write_json(tmp_path / "config.json", {})
    files = {form: f"best-00.{form}" for form in ("mid", "musicxml", "svg", "png")}
    write_json(tmp_path / "works/index.json", [{"name": "one", "work": work, "files": files}])
    for form, name in files.items():
        (tmp_path / "works" / name).write_bytes(form.encode())
    page = write_report(tmp_path).read_text()
    pictures = [attributes["src"] for attributes in Tags(page).all("img")]
    assert [uri.split(";")[0].removeprefix("data:") for uri in pictures] == shown
    assert set(re.findall(r">([A-Za-z]+)</a>", page)) == links
    assert (">engraved<" in page) == (work != "Canvas")


def test_an_animation_is_a_moving_picture_and_its_frames(tmp_path):
    write_json(tmp_path / "config.json", {})
    files = {form: f"best-00.{form}" for form in ("png", "gif", "mp4", "json")}
    write_json(
        tmp_path / "works/index.json", [{"name": "one", "work": "Animation", "files": files}]
    )
    for form, name in files.items():
        (tmp_path / "works" / name).write_bytes(form.encode())
    page = write_report(tmp_path).read_text()
    pictures = [attributes["src"] for attributes in Tags(page).all("img")]
    assert [decoded(uri, f"image/{form}").decode() for uri, form in
            zip(pictures, ("gif", "png"), strict=True)] == ["gif", "png"]  # fmt: skip
    assert set(re.findall(r">([A-Za-z0-9]+)</a>", page)) == {"MP4", "JSON"}
    assert ">the film<" in page


def test_a_dialogue_is_a_conversation(tmp_path):
    write_json(tmp_path / "config.json", {})
    (tmp_path / "works").mkdir()
    hostile = GOOD.replace(words=((HOSTILE, "x"), *GOOD.words[1:]))
    files = {
        form: works.save(hostile, tmp_path / f"works/best-00.{form}").name
        for form in ("txt", "json")
    }
    write_json(tmp_path / "works/index.json", [{"name": "one", "work": "Dialogue", "files": files}])
    page = write_report(tmp_path).read_text()
    classes = [attributes.get("class") for attributes in Tags(page).all("p")]
    spoken = [name for name in classes if name in ("user", "agent")]
    assert spoken == ["user", "agent"] * 5 + ["user"]
    assert "heard: No, that is not right." in page and not Tags(page).all("script")
    assert set(re.findall(r">([A-Za-z]+)</a>", page)) == {"text", "JSON"}
    (tmp_path / "works/best-00.json").write_text("{}")
    with pytest.raises(ValueError, match=r"best-00\.json is not a work in JSON"):
        write_report(tmp_path)


def test_every_section_is_there(run):
    page = write_report(run).read_text()
    for words in (
        "<h1>ppo on melody-theory</h1>",
        "Best works",
        "Learning curves",
        "prior: likelihood",
        "config.gamma",
        "0.1235",
        "12.5",
        "mean of 2 seeds",
        "prefers-color-scheme: dark",
    ):
        assert words in page
    assert page.count("<svg") == 4
    assert re.search(r"<dt>return, last</dt><dd>20</dd>", page)  # 19 and 21
    assert re.search(r"<dt>steps a second</dt><dd>100</dd>", page)


def test_an_evaluation_stands_beside_the_demos_table(tmp_path):
    write_json(tmp_path / "config.json", {})
    for name, title in (("evaluation", "Evaluation"), ("table", "Before and after")):
        write_json(tmp_path / f"{name}.json", {"title": title, "rows": [[name, 1.5]]})
    page = write_report(tmp_path).read_text()
    assert re.findall(r"<h2>(.*)</h2>", page) == ["Before and after", "Evaluation"]
    assert page.count("<table") == 2 and ">table<" in page and ">evaluation<" in page


def test_a_config_alone_is_enough(tmp_path):
    write_json(tmp_path / "config.json", {})
    page = write_report(tmp_path).read_text()
    assert f"<h1>{tmp_path.name}</h1>" in page
    assert "<h2>" not in page and "<svg" not in page


def test_a_cut_last_line_is_passed_over_and_a_damaged_one_is_not(tmp_path):
    write_json(tmp_path / "config.json", {})
    path = tmp_path / "metrics.jsonl"
    write_metrics(path, 3, loss=float)
    whole = path.read_text()
    path.write_text(whole + '{"update": 4, "st')
    assert write_report(tmp_path).read_text().count("<svg") == 1
    path.write_text('{"update"\n' + whole)
    with pytest.raises(ValueError, match=r"metrics\.jsonl, line 1"):
        write_report(tmp_path)


@pytest.mark.parametrize("data", [None, b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_an_unreadable_config_is_one_line_and_the_old_page_stays(tmp_path, data):
    (tmp_path / "report.html").write_text("old")
    if data is not None:
        (tmp_path / "config.json").write_bytes(data)
    with pytest.raises(ValueError, match=r"cannot read .*config\.json: .") as caught:
        write_report(tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "report.html").read_text() == "old"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("table.json", {"rows": [1]}),
        ("table.json", []),
        ("evaluation.json", {"rows": [1]}),
        ("works/index.json", [3]),
    ],
)
def test_other_damage_names_its_file(tmp_path, name, value):
    write_json(tmp_path / "config.json", {})
    write_json(tmp_path / name, value)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / name}")):
        write_report(tmp_path)


def test_an_index_reads_nothing_outside_the_works(tmp_path):
    write_json(tmp_path / "config.json", {})
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "works").mkdir()
    (tmp_path / "works/link.png").symlink_to(tmp_path / "secret.txt")
    files = {"txt": "../secret.txt", "png": "link.png", "html": "a.html", "wav": None, "mid": ".."}
    write_json(tmp_path / "works/index.json", [{"name": "odd", "files": files}])
    page = write_report(tmp_path).read_text()
    assert base64.b64encode(b"secret").decode() not in page
    assert not Tags(page).all("img") and not Tags(page).all("audio") and not Tags(page).all("a")


def test_curves_average_evenly_and_keep_seeds_apart():
    records = [{"steps": i, "loss": [i, -i], "note": "words"} for i in range(10 * MOST_POINTS)]
    (curve,) = read_curves(records)
    assert curve.values.shape == (MOST_POINTS, 2)
    np.testing.assert_allclose(curve.steps[:2], [4.5, 14.5])
    np.testing.assert_allclose(curve.values[:2], [[4.5, -4.5], [14.5, -14.5]])
    assert curve.last == 0.0


def test_returns_are_unknown_where_no_episode_ended():
    records = [
        {"steps": 1, "num_episodes": [0, 1], "episode_return": [0.0, 6.0]},
        {"steps": 2, "num_episodes": [0, 0], "episode_return": [0.0, 0.0]},
        {"steps": 3},
    ]
    curve = {curve.name: curve for curve in read_curves(records)}["episode_return"]
    np.testing.assert_array_equal(curve.values, [[np.nan, 6.0], [np.nan] * 2, [np.nan] * 2])
    assert curve.last == 6.0


def test_a_diverged_run_still_draws():
    values = [1.0, 1e30, float("inf"), float("nan"), None]
    curves = read_curves([{"steps": i, "loss": value} for i, value in enumerate(values)])
    assert "<svg" in families(curves)[0][1][0].svg


def test_families_sort_every_metric_once():
    names = ("term_key", "num_episodes", "nll", "episode_return", "entropy")
    curves = read_curves([{"steps": 0, **dict.fromkeys(names, 1.0)}])
    found = [(title, [panel.label for panel in panels]) for title, panels in families(curves)]
    assert found == [
        ("Episodes", ["episode return", "num episodes"]),
        ("Reward terms, mean a step", ["key"]),
        ("Likelihood", ["nll"]),
        ("Learning", ["entropy"]),
    ]
