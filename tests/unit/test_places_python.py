"""The places of Python's package managers, on all three platforms, out of made-up layouts."""

from __future__ import annotations

from tests.unit.test_places import Machine


def test_linux_defaults() -> None:
    home = "/home/u"
    expected = {
        f"{home}/.cache/pip": ("cache", "pip"),
        f"{home}/.cache/uv": ("cache", "uv"),
        f"{home}/.local/share/uv/tools": ("tool", "uv"),
        f"{home}/.local/share/uv/python": ("global-root", "uv"),
        f"{home}/.cache/pypoetry": ("cache", "poetry"),
        f"{home}/.cache/pdm": ("cache", "pdm"),
        f"{home}/.cache/pipenv": ("cache", "pipenv"),
        f"{home}/.local/share/pipx": ("tool", "pipx"),
        f"{home}/.local/pipx": ("tool", "pipx"),
        f"{home}/.virtualenvs": ("tool", "virtualenv"),
        f"{home}/.local/share/virtualenvs": ("tool", "pipenv"),
        f"{home}/.local/share/pdm/venvs": ("tool", "pdm"),
        f"{home}/.local/lib/python3.11": ("global-root", "pip"),
        f"{home}/.local/lib64/python3.11": ("global-root", "pip"),
        "/usr/lib/python3": ("global-root", "pip"),
        "/usr/lib64/python3.11": ("global-root", "pip"),
        "/usr/local/lib/python3.12": ("global-root", "pip"),
        "/home/linuxbrew/.linuxbrew/lib/python3.13": ("global-root", "pip"),
        f"{home}/.pyenv/versions/3.11.7/lib/python3.11": ("global-root", "pip"),
        f"{home}/.asdf/installs/python/3.12.1/lib/python3.12": ("global-root", "pip"),
        f"{home}/.local/share/mise/installs/python/3.13/lib/python3.13": ("global-root", "pip"),
        f"{home}/miniconda3": ("global-root", "conda"),
        "/opt/miniforge3": ("global-root", "conda"),
        "/data/envs/ml": ("global-root", "conda"),
    }
    machine = Machine(
        "linux",
        {**{f"{path}/x": "" for path in expected}, f"{home}/.conda/environments.txt": "/data/envs/ml\n/gone\n"},
    )
    found = machine.found({}, home)
    assert found.pop(f"{home}/.conda") == ("global-root", "conda")
    assert found == expected


def test_macos_defaults() -> None:
    home = "/Users/u"
    expected = {
        f"{home}/Library/Caches/pip": ("cache", "pip"),
        f"{home}/.cache/uv": ("cache", "uv"),
        f"{home}/.local/share/uv/tools": ("tool", "uv"),
        f"{home}/Library/Caches/pypoetry": ("cache", "poetry"),
        f"{home}/Library/Caches/pdm": ("cache", "pdm"),
        f"{home}/Library/Application Support/pipx": ("tool", "pipx"),
        f"{home}/Library/Application Support/pdm/venvs": ("tool", "pdm"),
        f"{home}/Library/Python/3.9/lib": ("global-root", "pip"),
        "/opt/homebrew/lib/python3.13": ("global-root", "pip"),
        "/Library/Frameworks/Python.framework/Versions/3.12/lib/python3.12": ("global-root", "pip"),
        "/opt/homebrew/Caskroom/miniconda/base": ("global-root", "conda"),
    }
    machine = Machine("macos", {f"{path}/x": "" for path in expected})
    assert machine.found({}, home, 501) == expected


def test_windows_defaults() -> None:
    home = "C:\\Users\\u"
    local, roaming = f"{home}\\AppData\\Local", f"{home}\\AppData\\Roaming"
    expected = {
        f"{local}\\pip\\Cache": ("cache", "pip"),
        f"{local}\\uv\\cache": ("cache", "uv"),
        f"{roaming}\\uv\\tools": ("tool", "uv"),
        f"{roaming}\\uv\\data\\python": ("global-root", "uv"),
        f"{local}\\pypoetry\\Cache": ("cache", "poetry"),
        f"{local}\\pdm\\pdm\\Cache": ("cache", "pdm"),
        f"{local}\\pipenv\\pipenv\\Cache": ("cache", "pipenv"),
        f"{home}\\pipx": ("tool", "pipx"),
        f"{home}\\.virtualenvs": ("tool", "virtualenv"),
        f"{local}\\pdm\\pdm\\venvs": ("tool", "pdm"),
        f"{roaming}\\Python\\Python311": ("global-root", "pip"),
        f"{local}\\Programs\\Python\\Python312\\Lib": ("global-root", "pip"),
        "C:\\Program Files\\Python313\\Lib": ("global-root", "pip"),
        f"{home}\\.pyenv\\pyenv-win\\versions\\3.11.7\\Lib": ("global-root", "pip"),
        f"{home}\\anaconda3": ("global-root", "conda"),
        "C:\\ProgramData\\miniconda3": ("global-root", "conda"),
    }
    machine = Machine("windows", {f"{path}\\x": "" for path in expected})
    environment = {"ProgramFiles": "C:\\Program Files", "ProgramData": "C:\\ProgramData"}
    assert machine.found(environment, home, None) == expected


def test_settings_and_variables_name_places_beside_the_defaults() -> None:
    home = "/home/u"
    named = {
        "PIP_CACHE_DIR": "/a/pip",
        "UV_CACHE_DIR": "/a/uv",
        "UV_TOOL_DIR": "/a/tools",
        "UV_PYTHON_INSTALL_DIR": "/a/pythons",
        "POETRY_CACHE_DIR": "/a/poetry",
        "PDM_CACHE_DIR": "/a/pdm",
        "PIPENV_CACHE_DIR": "/a/pipenv",
        "PIPX_HOME": "/a/pipx",
        "WORKON_HOME": "/a/workon",
        "MAMBA_ROOT_PREFIX": "/a/mamba",
    }
    files = {f"{path}/x": "" for path in named.values()}
    files[f"{home}/.config/pip/pip.conf"] = (
        "[global]\nindex-url = https://u:canary5f1d@registry.example/\ncache-dir = ~/p\n"
    )
    files["/etc/pip.conf"] = "[install]\ncache-dir = /all/pip\n"
    files["/all/pip/x"] = ""
    files[f"{home}/.config/uv/uv.toml"] = 'cache-dir = "/b/uv"\n'
    files |= {f"{home}/p/x": "", "/b/uv/x": "", "/user/lib/python3.11/x": "", "/xdg/uv/x": "", "/broken/x": ""}
    machine = Machine("linux", files)
    environment = {**named, "PYTHONUSERBASE": "/user", "XDG_CACHE_HOME": "/xdg", "PIP_CONFIG_FILE": "/broken/x"}
    survey = machine.survey(environment, home)
    found = {item.path: item.found_by for item in survey.places}
    assert {path: found.get(path) for path in named.values()} == {path: key for key, path in named.items()}
    assert found[f"{home}/p"] == "cache-dir in pip's configuration"
    assert found["/all/pip"] == "cache-dir in pip's configuration"
    assert found["/b/uv"] == "cache-dir in the user's uv.toml"
    assert found["/user/lib/python3.11"] == "PYTHONUSERBASE"
    assert found["/xdg/uv"] == "XDG_CACHE_HOME"
    assert "canary5f1d" not in str(survey)
