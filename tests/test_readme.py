"""What the README and the guide say comes true: their code runs, in order."""

import importlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DASK_ML_PAGE = (ROOT / "docs" / "coming-from-dask-ml.md").read_text()
README = (ROOT / "README.md").read_text()


def blocks(language, text=README):
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_code_of_the_readme_runs_and_prints_plans(capsys):
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "-> blockwise" in printed
    assert "{'C': 2.5} sklearn" in printed


def test_the_code_of_the_guide_runs():
    # One script: what a block defines, later ones use.
    names = {}
    for code in blocks("python", (ROOT / "docs" / "guide.md").read_text()):
        exec(compile(code, "guide.md", "exec"), names)
    assert names["kmeans"].plan_.engine == "blockwise"


def test_the_code_of_the_first_page_runs(capsys):
    (code,) = blocks("python", (ROOT / "docs" / "index.md").read_text())
    exec(compile(code, "index.md", "exec"), {})
    assert "-> blockwise" in capsys.readouterr().out


def test_the_code_of_the_page_on_routes_runs():
    names = {}
    page = (ROOT / "docs" / "how-the-route-is-chosen.md").read_text()
    for code in blocks("python", page):
        exec(compile(code, "how-the-route-is-chosen.md", "exec"), names)
    assert names["model"].plan_.engine == names["plan"].engine


def test_the_code_of_the_page_on_leaving_runs():
    names = {}
    for code in blocks("python", (ROOT / "docs" / "leaving.md").read_text()):
        exec(compile(code, "leaving.md", "exec"), names)
    assert names["labels"].shape == (200,)


def test_the_code_of_the_page_on_dask_ml_runs():
    names = {}
    for code in blocks("python", DASK_ML_PAGE):
        exec(compile(code, "coming-from-dask-ml.md", "exec"), names)
    assert names["clf"].labels_.shape == (40_000,)


def test_the_page_on_dask_ml_names_what_exists():
    import sklearn_dask_auto

    rows = re.findall(r"^\| `(.*?) \| (.*?) \|", DASK_ML_PAGE, flags=re.MULTILINE)
    assert len(rows) > 15
    for theirs, ours in rows:
        package, *names = re.findall(r"\w+(?=[.`,])|\w+$", theirs)
        module = importlib.import_module(f"dask_ml.{package}")
        assert all(hasattr(module, name) for name in names), theirs
        for name in re.findall(r"`(AutoScale\w+|train_test_split)", ours):
            assert hasattr(sklearn_dask_auto, name)


def test_the_settings_that_the_readme_names_exist():
    from sklearn_dask_auto import config_context, get_config

    (call,) = re.findall(r"`set_config\((.*?)\)`", README)
    with config_context(**eval(f"dict({call})")):
        assert get_config()["engine"] == "blockwise"


def test_ci_runs_the_test_command_of_the_readme():
    (command,) = [
        c for block in blocks("bash") for c in re.findall("python -m pytest.*", block)
    ]
    assert command in (ROOT / ".ci" / "run").read_text()


def test_files_that_the_readme_links_to_exist():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
