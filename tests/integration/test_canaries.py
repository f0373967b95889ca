"""Law 9: no secret leaves the room that read it. Law 10: nothing that is found is executed."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from pratique.model.ports import Unreadable
from tests.golden.harness import ALL, in_memory
from tests.integration.examine import FORMATS, Sample, everything, examined, rendered, samples

TOKEN = "c4n4ry"
ROOT = Path(__file__).resolve().parents[2]
BINARY = frozenset({"bun-lockb", "yarn-berry-cache-zip", "pnpm-store-database"})
"""Formats that hold no URL as text, or hold it by length."""


def planted(data: bytes) -> bytes:
    """The file with a token in every part of every URL that can hold one."""
    text = data.decode("utf-8", "surrogateescape")
    text = re.sub(r"(https?://)(?=[\w.\[])", rf"\1{TOKEN}user:{TOKEN}pass@", text)
    text = re.sub(r"(\.tgz)(?=[\"'\s,}])", rf"\1?token={TOKEN}query&x=1#{TOKEN}fragment", text)
    text = re.sub(r"(\.tgz)(?=#)", rf"\1?token={TOKEN}query", text)
    return text.encode("utf-8", "surrogateescape")


def text_samples() -> list[Sample]:
    """For each reader the smallest files that hold a URL."""
    found = []
    for name, items in sorted(samples().items()):
        if name not in BINARY:
            found += [item for item in items if planted(item.data) != item.data][:4]
    return found


SAMPLES = text_samples()


def assert_silent(texts: Iterable[str]) -> None:
    for text in texts:
        at = text.lower().find(TOKEN)
        assert at < 0, text[max(at - 200, 0) : at + 60]


@pytest.mark.parametrize("sample", SAMPLES, ids=[item.id for item in SAMPLES])
def test_law_9_tokens_in_urls_reach_no_output(sample: Sample, tmp_path: Path) -> None:
    sample.lay(tmp_path / "whole")
    sample.lay(tmp_path / "planted", planted(sample.data))
    report = examined(tmp_path / "planted")
    assert_silent(rendered(report, tuple(name for name in FORMATS if name != "html")).values())
    for damaged in (planted(sample.data)[: len(sample.data) * 2 // 3], b"{" + planted(sample.data)):
        sample.lay(tmp_path / "damaged", damaged)
        assert_silent(rendered(examined(tmp_path / "damaged"), ("json",)).values())
    if examined(tmp_path / "whole").exit_code >= 10:
        assert report.exit_code in (4, 10, 11), "a URL with user info or a query hides nothing"


@pytest.mark.parametrize("sample", SAMPLES, ids=[item.id for item in SAMPLES])
def test_law_9_tokens_in_urls_reach_no_record(sample: Sample) -> None:
    """Also what an inventory asks for, which keeps every record."""
    cut = b"" if sample.reader.relevance == "never" else planted(sample.data)[: len(sample.data) // 2]
    for data in (planted(sample.data), cut):  # of settings that end in user info nothing tells that it is no host
        try:
            records = list(sample.reader.read(in_memory(data, sample.relative), ALL))
        except Unreadable as error:
            assert_silent([error.reason])
            continue
        assert_silent([msgspec.json.encode(records).decode()])


T = TOKEN
SECRETS = {
    "project/.npmrc": f"""//registry.example/:_authToken={T}1
_auth={T}2
_password = "{T}3"
username={T}4
email={T}@mail.example
registry=https://{T}5:{T}6@registry.example/{T}7/?{T}8
@scope:registry=https://{T}@registry.example/?token={T}
proxy=http://{T}:{T}@proxy.example:8080
https-proxy=http://{T}:{T}@proxy.example
otp={T}
cert="{T}"
key="{T}"
//registry.example/:certfile={T}
script-shell=/bin/{T}
node-options=--require {T}
init-author-email={T}
min-release-age={T}
allow-scripts=https://{T}:{T}@registry.example/axios.tgz?{T}
before={T}
ignore-scripts={T}
replace-registry-host={T}/{T}
""",
    "project/.yarnrc.yml": f"""npmAuthToken: {T}
npmAuthIdent: "{T}:{T}"
npmRegistryServer: "https://{T}:{T}@registry.example/?{T}"
npmRegistries:
  "//registry.example":
    npmAuthToken: {T}
httpProxy: "http://{T}:{T}@proxy.example"
enableScripts: {T}
supportedArchitectures: {T}
""",
    "project/.yarnrc": f"""registry "https://{T}:{T}@registry.example/?{T}"
"//registry.example/:_authToken" {T}
email {T}
proxy "http://{T}:{T}@proxy.example"
""",
    "project/bunfig.toml": f"""[install]
registry = {{ url = "https://{T}:{T}@registry.example/?{T}", token = "{T}" }}
[install.scopes]
x = {{ token = "{T}", url = "https://{T}:{T}@registry.example" }}
""",
    "project/pnpm-workspace.yaml": f"""packages: ['.']
registry: https://{T}:{T}@registry.example/?{T}
overrides:
  axios@1.14.1: https://{T}:{T}@registry.example/axios.tgz?{T}#{T}
catalog:
  axios: https://{T}:{T}@registry.example/axios/-/axios-1.14.1.tgz?{T}
""",
    "project/package.json": f"""{{"name": "x", "version": "1.0.0",
"dependencies": {{
  "axios": "https://{T}:{T}@registry.example/axios/-/axios-1.14.1.tgz?token={T}#{T}",
  "plain-crypto-js": "git+https://{T}:{T}@git.example/x.git#{T}",
  "@usebruno/cli": "git+ssh://{T}@git.example/x.git"}},
"devDependencies": {{"axios": "ssh://{T}:{T}@git.example/x.git"}},
"overrides": {{"axios@1.14.1": "https://{T}:{T}@registry.example/axios.tgz?{T}", "plain-crypto-js": {{".": "npm:x@https://{T}@x.example/?{T}"}}}},
"resolutions": {{"**/axios": "https://{T}:{T}@registry.example/axios.tgz?{T}"}},
"publishConfig": {{"registry": "https://{T}:{T}@registry.example"}},
"repository": "https://{T}:{T}@git.example/x",
"packageManager": "yarn@https://{T}:{T}@registry.example/yarn.js?{T}",
"scripts": {{"postinstall": "curl -H {T} https://{T}@x.example"}},
"allowScripts": {{"https://{T}:{T}@x.example/axios.tgz?{T}": true, "axios@https://{T}@x.example/?{T}": false}},
"trustedDependencies": ["https://{T}:{T}@x.example/axios.tgz?{T}"],
"pnpm": {{"overrides": {{"axios@https://{T}@x.example/?{T}": {{"https://{T}@x.example/?{T}": "1"}}}},
  "onlyBuiltDependencies": ["https://{T}:{T}@x.example/axios.tgz?{T}"], "neverBuiltDependencies": ["x@https://{T}@x.example/?{T}"]}},
"dependenciesMeta": {{"axios@https://{T}@x.example/?{T}": {{"built": false}}}},
"config": {{"token": "{T}"}}}}""",
    "project/node_modules/axios/package.json": f"""{{"name": "axios", "version": "1.14.1",
"_resolved": "https://{T}:{T}@registry.example/axios/-/axios-1.14.1.tgz?{T}#{T}", "_integrity": "sha512-x", "_from": "{T}",
"dependencies": {{"plain-crypto-js": "https://{T}:{T}@registry.example/x.tgz?{T}"}},
"scripts": {{"postinstall": "echo {T}"}}}}""",
    "project/damaged/package-lock.json": f'{{"packages": {{"node_modules/axios": {{"resolved": "https://{T}:{T}@x"',
    "project/damaged/yarn.lock": f'axios@1:\n  resolved "https://{T}:{T}@x\n{T}\n',
    "project/damaged/bun.lock": f'{{"{T}": {T}',
    "project/damaged/pnpm-lock.yaml": f"{T}: [{T}\n  {T}: {{",
    "project/damaged/deno.lock": f"{T}",
    "project/damaged/.pnp.cjs": f"const {T} = '{T}'",
    "home/.npm/_npx/0123456789abcdef/package.json": f"""{{"_npx": {{"packages": [
"https://{T}:{T}@registry.example/axios/-/axios-1.14.1.tgz?{T}", "axios@https://{T}@x.example/a.tgz?{T}"]}},
"dependencies": {{"axios": "https://{T}:{T}@registry.example/axios.tgz?{T}"}}}}""",
    "home/.npm/_logs/2026-03-31T00_33_05_000Z-debug-0.log": f"""0 verbose cli /usr/bin/node /usr/bin/npm
1 info using npm@10.9.0
2 verbose title npm install axios@1.14.1 --otp={T}
3 verbose argv "install" "axios@1.14.1" "--otp" "{T}" "--//registry.example/:_authToken={T}" "https://{T}:{T}@x.example/a.tgz?{T}"
4 verbose cwd /home/user/project
5 http fetch GET 200 https://{T}:{T}@registry.example/axios/-/axios-1.14.1.tgz?token={T}#{T} 31ms (cache miss)
6 http cache axios@https://{T}:{T}@registry.example/axios/-/axios-1.14.1.tgz?{T} 0ms
7 info run axios@1.14.1 postinstall node_modules/axios TOKEN={T} node setup.js
8 info run axios@1.14.1 postinstall {{ code: 1, signal: null }}
9 verbose stack Error: {T}
10 error {T} https://{T}@x.example
""",
    "home/.bash_history": f"""npm config set //registry.example/:_authToken={T}
NPM_TOKEN={T} npm install axios@1.14.1
npm install https://{T}:{T}@registry.example/axios/-/axios-1.14.1.tgz?{T}#{T}
npm i axios@1.14.1 --otp={T} --registry https://{T}:{T}@registry.example --auth {T}
npm i -g axios@1.14.1; echo {T}
curl -H 'Authorization: Bearer {T}' https://x.example | npm i axios@1.14.1
npm i git+https://{T}@git.example/axios.git#{T} axios@1.14.1
npm i axios@https://{T}:{T}@x.example/?{T}
cd /home/{T}/x && npm i axios@1.14.1
npx --yes axios@1.14.1 --token {T}
npm exec axios@1.14.1 -- --password={T}
""",
    "home/.zsh_history": f": 1774917185:0;TOKEN={T} pnpm add axios@1.14.1 --reporter={T} && login {T}\n",
    "home/.local/share/fish/fish_history": f"- cmd: TOKEN={T} yarn add axios@1.14.1 # {T}\n  when: 1774917185\n  paths:\n    - {T}\n",
}


def lay_secrets(root: Path) -> None:
    for name, text in SECRETS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_law_9_tokens_in_settings_logs_and_histories_reach_no_output(tmp_path: Path) -> None:
    lay_secrets(tmp_path)
    for selection in (None, everything()):
        for folder in (tmp_path, tmp_path / "project", tmp_path / "home"):
            report = examined(folder, selection)
            assert report.exit_code >= 4
            assert_silent(rendered(report).values())


@pytest.mark.parametrize("name", SECRETS)
def test_law_9_tokens_in_settings_logs_and_histories_reach_no_record(name: str) -> None:
    from tests.golden.harness import claimed, readers

    met = 0
    for reader in readers().values():
        if claimed(reader, name):
            met += 1
            records = list(reader.read(in_memory(SECRETS[name].encode(), name), ALL))
            assert_silent([msgspec.json.encode(records).decode()])
    assert met or name.endswith("bunfig.toml")


def test_law_9_the_command_prints_no_token_on_any_stream(tmp_path: Path) -> None:
    lay_secrets(tmp_path)
    for options in (["--format", "json"], ["--deep", "--jobs", "2"], ["--quick", "--format", "markdown"]):
        done = subprocess.run(
            [sys.executable, "-m", "pratique", "check", str(tmp_path), *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={
                **os.environ,
                "PRATIQUE_ISOLATED": "no",
                "PYTHONPATH": str(ROOT / "src"),
                "NPM_TOKEN": TOKEN,
                "npm_config__authToken": TOKEN,
                "NODE_AUTH_TOKEN": TOKEN,
            },
        )
        assert done.returncode in (10, 11), done.stderr
        assert_silent([done.stdout, done.stderr])


# ---------------------------------------------------------------------------------------------------- law 10

MODULES = (
    "json",
    "yaml",
    "click",
    "msgspec",
    "jinja2",
    "packageurl",
    "datetime",
    "tomllib",
    "signal",
    "packaging",
    "psutil",
    "zstandard",
    "subprocess",
)
"""Not `re`: the start that pip writes imports it before this program runs, so `PYTHONPATH` still rules there."""
STARTERS = ("sitecustomize", "usercustomize", "pratique", "antigravity")
PROGRAMS = (
    "npm",
    "npx",
    "node",
    "git",
    "yarn",
    "pnpm",
    "bun",
    "deno",
    "corepack",
    "python",
    "python3",
    "sh",
    "uname",
    "ldd",
)


def canary_module(path: Path, fired: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"open({str(fired / path.name)!r}, 'a').write({str(path)!r})\n")


def canary_program(path: Path, fired: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {path} >> {fired}/{path.name}\n")
    path.chmod(0o755)


def lay_canaries(root: Path, fired: Path) -> None:
    """A checkout and a home with a canary in every place that some client would execute."""
    checkout, home, modules, shims = root / "checkout", root / "home", root / "modules", root / "shims"
    for name in PROGRAMS:
        canary_program(shims / name, fired)
        canary_program(checkout / name, fired)
        canary_program(checkout / "node_modules/.bin" / name, fired)
    for name in MODULES:
        canary_module(modules / f"{name}.py", fired)
        canary_module(checkout / f"{name}.py", fired)
    for name in (*STARTERS, "re", "os", "sys", "site", "encodings"):
        canary_module(checkout / f"{name}.py", fired)
    canary_module(checkout / "pratique/__init__.py", fired)
    canary_module(checkout / "pratique/__main__.py", fired)
    site = home / f".local/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    canary_module(site / "usercustomize.py", fired)
    canary_module(site / "sitecustomize.py", fired)
    (site / "canary.pth").write_text(f"import os; os.mkdir({str(fired / 'pth')!r})\n")
    canary_module(home / "startup.py", fired)
    canary = checkout / "canary.sh"
    canary_program(canary, fired)
    canary_program(checkout / "canary.cjs", fired)
    for hook in ("pre-commit", "post-checkout", "fsmonitor-watchman", "post-index-change", "reference-transaction"):
        canary_program(checkout / ".git/hooks" / hook, fired)
    (checkout / ".git/objects").mkdir()
    (checkout / ".git/refs/heads").mkdir(parents=True)
    (checkout / ".git/HEAD").write_text("ref: refs/heads/main\n")
    git = f"""[core]
	repositoryformatversion = 0
	fsmonitor = {canary}
	hooksPath = {checkout}/.git/hooks
	pager = {canary}
	sshCommand = {canary}
	editor = {canary}
[filter "x"]
	clean = {canary}
	smudge = {canary}
	process = {canary}
	required = true
[diff]
	external = {canary}
[credential]
	helper = {canary}
[alias]
	status = !{canary}
"""
    (checkout / ".git/config").write_text(git)
    (home / ".gitconfig").write_text(git)
    (checkout / ".gitattributes").write_text("* filter=x diff=x\n")
    npmrc = f"script-shell={canary}\nnode-options=--require={canary}\nshell={canary}\ngit={canary}\nonload-script={canary}\n"
    scripts = ", ".join(
        f'"{name}": "{canary}"'
        for name in (
            "preinstall",
            "install",
            "postinstall",
            "prepare",
            "dependencies",
            "pnpm:devPreinstall",
            "preuninstall",
        )
    )
    for folder in (checkout, home):
        (folder / ".npmrc").write_text(npmrc)
        (folder / ".yarnrc.yml").write_text(f"yarnPath: {canary}\nplugins:\n  - {checkout}/canary.cjs\n")
        (folder / ".yarnrc").write_text(f'yarn-path "{canary}"\n')
        (folder / "bunfig.toml").write_text(f'preload = ["{checkout}/canary.cjs"]\n')
        canary_program(folder / ".pnpmfile.cjs", fired)
        canary_program(folder / ".pnp.cjs", fired)
        (folder / "pnpm-workspace.yaml").write_text("packages: ['.']\npnpmfile: canary.cjs\n")
        (folder / "deno.json").write_text(f'{{"tasks": {{"install": "{canary}"}}}}')
        (folder / "binding.gyp").write_text(f"{{'targets': [{{'target_name': '<!({canary})'}}]}}")
        (folder / "package.json").write_text(
            f'{{"name": "x", "packageManager": "yarn@4.0.0", "scripts": {{{scripts}}}}}'
        )
    bad = checkout / "node_modules/axios"
    bad.mkdir()
    (bad / "package.json").write_text(f'{{"name": "axios", "version": "1.14.1", "scripts": {{{scripts}}}}}')
    (bad / "index.js").write_text(f"require('fs').writeFileSync('{fired}/axios', '')")
    (checkout / "package-lock.json").write_text(
        '{"lockfileVersion": 3, "packages": {"": {}, "node_modules/axios": {"version": "1.14.1", "hasInstallScript": true}}}'
    )
    (checkout / "pratique.toml").write_text('exclude = ["*"]\n')
    (checkout / "yarn.lock").write_text("!!python/object/apply:os.system ['touch fired']\n")


def install(folder: Path) -> Path:
    """A fresh environment with this checkout's wheel and copies of what it needs; no network."""
    tools = subprocess.run(
        [sys.executable, "-m", "pip", "--version"], capture_output=True, text=True, check=False, cwd=folder
    )
    if tools.returncode != 0:
        pytest.skip("pip is not installed beside the tests")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for extra in ("scripts", "build"):
        if (ROOT / extra).is_dir():
            shutil.copytree(ROOT / extra, source / extra, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps"]
    subprocess.run(
        [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", str(folder / "wheels"), str(source)],
        check=True,
    )
    environment = folder / "venv"
    venv.create(environment, with_pip=False, symlinks=True)
    wheel = next((folder / "wheels").glob("pratique-*.whl"))
    python = environment / "bin/python"
    subprocess.run([*pip, "--python", str(python), "install", *offline, "--no-compile", str(wheel)], check=True)
    place = next((environment / "lib").glob("python*/site-packages"))
    for name in (
        "click",
        "jinja2",
        "markupsafe",
        "msgspec",
        "packageurl-python",
        "packaging",
        "psutil",
        "pyyaml",
        "zstandard",
    ):
        for file in importlib.metadata.distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = place / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), target)
    return environment / "bin"


@pytest.mark.skipif(os.name != "posix", reason="the canaries are programs for POSIX shells")
def test_law_10_and_11_nothing_in_a_checkout_is_executed(tmp_path: Path) -> None:
    programs = install(tmp_path)
    fired = tmp_path / "fired"
    fired.mkdir()
    lay_canaries(tmp_path, fired)
    checkout = tmp_path / "checkout"
    environment = {
        "PATH": f"{tmp_path}/shims:{checkout}:{checkout}/node_modules/.bin:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "PYTHONSTARTUP": str(tmp_path / "home/startup.py"),
        "PYTHONPATH": str(tmp_path / "modules"),
        "NODE_OPTIONS": f"--require {checkout}/canary.cjs",
        "GIT_DIR": str(checkout / ".git"),
        "GIT_EXTERNAL_DIFF": str(checkout / "canary.sh"),
        "EDITOR": str(checkout / "canary.sh"),
        "PAGER": str(checkout / "canary.sh"),
        "npm_config_script_shell": str(checkout / "canary.sh"),
    }

    def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=checkout,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    before = {path: path.lstat().st_mtime_ns for path in checkout.rglob("*")}
    starts: list[tuple[list[str], dict[str, str]]] = [
        ([str(programs / "pratique")], {}),
        ([str(programs / "python"), "-I", "-m", "pratique"], {"PYTHONPATH": str(checkout)}),
    ]
    help_text = run(str(programs / "pratique"), "--help").stdout
    more = [[verb] for verb in ("doctor", "selftest") if re.search(rf"^  {verb}\b", help_text, re.MULTILINE)]
    if re.search(r"^  components\b", help_text, re.MULTILINE):
        more.append(["components", "."])
    for start, variables in starts:
        done = run(
            *start, "check", ".", "--deep", "--format", "json", "--output", str(tmp_path / "report.html"), **variables
        )
        assert done.returncode == 10, done.stderr
        assert run(*start, "check", **variables).returncode in (0, 3, 4, 10, 11), "this user's home"
        assert run(*start, "incident", "list", **variables).returncode == 0
        assert run(*start, "--version", **variables).stdout.startswith("pratique ")
        for words in more:
            done = run(*start, *words, **variables)
            assert "internal error" not in done.stderr, done.stderr
        assert [path.read_text() if path.is_file() else path.name for path in fired.iterdir()] == []
    assert {path: path.lstat().st_mtime_ns for path in checkout.rglob("*")} == before, (
        "nothing is written into a target"
    )
    assert run(str(programs / "python"), "-c", "import json").returncode == 0
    assert run("npm").returncode == 0
    assert {path.name for path in fired.iterdir()} >= {"json.py", "npm"}, "the canaries do fire"
