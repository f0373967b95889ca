"""What paths say, layout by layout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.ecosystems.npm.paths import Place, decoded_name, place_of, project_of, split_virtual

HASH = "0123456789abcdef" * 4

CASES = [
    # path of a file, layout, project, package, folder, at root, version
    ("package.json", "project", "", None, "", False, None),
    ("a/b/package.json", "project", "a/b/", None, "a/b", False, None),
    ("a/my_node_modules/package.json", "project", "a/my_node_modules/", None, "a/my_node_modules", False, None),
    ("a/node_modules/package.json", "project", "a/", None, "a/", False, None),
    ("node_modules/axios/package.json", "tree", "", "axios", "node_modules/axios", True, None),
    ("a/node_modules/axios/package.json", "tree", "a/", "axios", "a/node_modules/axios", True, None),
    ("a/node_modules/@s/n/package.json", "tree", "a/", "@s/n", "a/node_modules/@s/n", True, None),
    ("a/node_modules/@s/n/lib/package.json", "tree", "a/", "@s/n", "a/node_modules/@s/n", False, None),
    ("node_modules/x/node_modules/y/package.json", "tree", "", "y", "node_modules/x/node_modules/y", True, None),
    ("x_node_modules/node_modules/y/package.json", "tree", "x_node_modules/", "y", "x_node_modules/node_modules/y", True, None),
    ("node_modules/npm/package.json", "tree", "", "npm", "node_modules/npm", True, None),
    (
        "lib/node_modules/npm/node_modules/semver/package.json",
        "tree",
        "lib/",
        "semver",
        "lib/node_modules/npm/node_modules/semver",
        True,
        None,
    ),
    # pnpm
    (
        "a/node_modules/.pnpm/@s+n@1.2.3-rc.1_peer@4.0.0/node_modules/@s/n/package.json",
        "pnpm",
        "a/",
        "@s/n",
        "a/node_modules/.pnpm/@s+n@1.2.3-rc.1_peer@4.0.0/node_modules/@s/n",
        True,
        "1.2.3-rc.1",
    ),
    (
        "node_modules/.pnpm/node_modules/axios/package.json",
        "tree",
        "",
        "axios",
        "node_modules/.pnpm/node_modules/axios",
        True,
        None,
    ),
    (
        f"s/v10/links/@/axios/1.14.1/{HASH}/node_modules/axios/package.json",
        "pnpm",
        "s/v10/links/",
        "axios",
        f"s/v10/links/@/axios/1.14.1/{HASH}/node_modules/axios",
        True,
        "1.14.1",
    ),
    (
        f"links/@s/n/1.2.3-a/{HASH}/node_modules/@s/n/lib/package.json",
        "pnpm",
        "links/",
        "@s/n",
        f"links/@s/n/1.2.3-a/{HASH}/node_modules/@s/n",
        False,
        "1.2.3-a",
    ),
    (
        f"links/@/axios/1.14.1/{HASH}/node_modules/left/package.json",
        "pnpm",
        "links/",
        "left",
        f"links/@/axios/1.14.1/{HASH}/node_modules/left",
        True,
        None,
    ),
    ("links/node_modules/axios/package.json", "tree", "links/", "axios", "links/node_modules/axios", True, None),
    # npm's linked strategy, bun's isolated one, deno
    (
        "node_modules/.store/axios@1.14.1-0123abcd/node_modules/axios/package.json",
        "npm-linked",
        "",
        "axios",
        "node_modules/.store/axios@1.14.1-0123abcd/node_modules/axios",
        True,
        "1.14.1-0123abcd",
    ),
    (
        "node_modules/.bun/@s+n@1.2.3/node_modules/@s/n/package.json",
        "bun",
        "",
        "@s/n",
        "node_modules/.bun/@s+n@1.2.3/node_modules/@s/n",
        True,
        "1.2.3",
    ),
    (
        "node_modules/.deno/axios@1.14.1_1/node_modules/axios/package.json",
        "deno",
        "",
        "axios",
        "node_modules/.deno/axios@1.14.1_1/node_modules/axios",
        True,
        "1.14.1",
    ),
    (
        "node_modules/.deno/_jjju6tstorzgkyln@1.3.5/node_modules/JSONStream/package.json",
        "deno",
        "",
        "JSONStream",
        "node_modules/.deno/_jjju6tstorzgkyln@1.3.5/node_modules/JSONStream",
        True,
        "1.3.5",
    ),
    # yarn
    (
        "a/.yarn/unplugged/axios-npm-1.14.1-0123456789/node_modules/axios/package.json",
        "unplugged",
        "a/",
        "axios",
        "a/.yarn/unplugged/axios-npm-1.14.1-0123456789/node_modules/axios",
        True,
        "1.14.1",
    ),
    (
        f".cache/yarn/v6/npm-axios-1.14.1-{HASH[:40]}-integrity/node_modules/axios/package.json",
        "yarn-cache",
        ".cache/yarn/v6/",
        "axios",
        f".cache/yarn/v6/npm-axios-1.14.1-{HASH[:40]}-integrity/node_modules/axios",
        True,
        "1.14.1",
    ),
    # bun's cache
    (
        ".bun/install/cache/axios@1.14.1/package.json",
        "bun-cache",
        ".bun/install/cache/",
        "axios",
        ".bun/install/cache/axios@1.14.1",
        True,
        "1.14.1",
    ),
    (
        ".bun/install/cache/axios@1.14.1@@@1/lib/package.json",
        "bun-cache",
        ".bun/install/cache/",
        "axios",
        ".bun/install/cache/axios@1.14.1@@@1",
        False,
        "1.14.1",
    ),
    (
        "install/cache/@s/n@1.2.3@@registry.example@@@1/package.json",
        "bun-cache",
        "install/cache/",
        "@s/n",
        "install/cache/@s/n@1.2.3@@registry.example@@@1",
        True,
        "1.2.3",
    ),
    (
        "ci/bun/@s/n@1.2.3@@registry.example__6653bf68fe9a10d1@@@1/package.json",
        "bun-cache",
        "ci/bun/",
        "@s/n",
        "ci/bun/@s/n@1.2.3@@registry.example__6653bf68fe9a10d1@@@1",
        True,
        "1.2.3",
    ),
    ("axios@1.14.1@@@1/package.json", "bun-cache", "", "axios", "axios@1.14.1@@@1", True, "1.14.1"),
    (
        "install/cache/react@19.0.0-6b6f27d79dec3201@@@1/package.json",
        "bun-cache",
        "install/cache/",
        "react",
        "install/cache/react@19.0.0-6b6f27d79dec3201@@@1",
        True,
        None,
    ),
    (
        "install/cache/react@19.0.0+0123456789ABCDEF@@@1/package.json",
        "bun-cache",
        "install/cache/",
        "react",
        "install/cache/react@19.0.0+0123456789ABCDEF@@@1",
        True,
        None,
    ),
    (
        "install/cache/react@19.0.0-rc.1@@@1/package.json",
        "bun-cache",
        "install/cache/",
        "react",
        "install/cache/react@19.0.0-rc.1@@@1",
        True,
        "19.0.0-rc.1",
    ),
    (
        "install/cache/@s/n/1.2.3@@@1/package.json",
        "bun-cache",
        "install/cache/",
        "@s/n",
        "install/cache/@s/n/1.2.3@@@1",
        True,
        "1.2.3",
    ),
    (
        "install/cache/axios/1.14.1@@registry.example@@@1/package.json",
        "bun-cache",
        "install/cache/",
        "axios",
        "install/cache/axios/1.14.1@@registry.example@@@1",
        True,
        "1.14.1",
    ),
    (
        "install/cache/@T@0123456789abcdef@@@1/package.json",
        "bun-cache",
        "install/cache/",
        "",
        "install/cache/@T@0123456789abcdef@@@1",
        True,
        None,
    ),
    (
        "install/cache/@GH@o-axios-0a1b2c3@@@1/lib/package.json",
        "bun-cache",
        "install/cache/",
        "",
        "install/cache/@GH@o-axios-0a1b2c3@@@1",
        False,
        None,
    ),
    ("install/cache/@G@0a1b2c3/package.json", "bun-cache", "install/cache/", "", "install/cache/@G@0a1b2c3", True, None),
    (
        "install/cache/whole@2.0.0@@@1/node_modules/inner/package.json",
        "bun-cache",
        "install/cache/",
        "inner",
        "install/cache/whole@2.0.0@@@1/node_modules/inner",
        True,
        None,
    ),
    ("install/cache/notes/package.json", "project", "install/cache/notes/", None, "install/cache/notes", False, None),
    ("team@home/app/package.json", "project", "team@home/app/", None, "team@home/app", False, None),
    # deno's cache
    (
        ".cache/deno/npm/registry.example/axios/1.14.1/package.json",
        "deno-cache",
        ".cache/deno/npm/",
        "axios",
        ".cache/deno/npm/registry.example/axios/1.14.1",
        True,
        "1.14.1",
    ),
    (
        "npm/registry.example/@s/n/1.2.3-rc.1/lib/package.json",
        "deno-cache",
        "npm/",
        "@s/n",
        "npm/registry.example/@s/n/1.2.3-rc.1",
        False,
        "1.2.3-rc.1",
    ),
    ("d/npm/localhost_4873/axios/1.14.1_1/package.json", "deno-cache", "d/npm/", "axios", "d/npm/localhost_4873/axios/1.14.1_1", True, "1.14.1"),
    ("d/npm/4873/axios/1.14.1/package.json", "deno-cache", "d/npm/", "axios", "d/npm/4873/axios/1.14.1", True, "1.14.1"),
    (
        "d/npm/mirror.example/artifactory/api/npm/npm-remote/axios/1.14.1/package.json",
        "deno-cache",
        "d/npm/",
        "axios",
        "d/npm/mirror.example/artifactory/api/npm/npm-remote/axios/1.14.1",
        True,
        "1.14.1",
    ),
    (
        "d/npm/registry.example/_jjju6tstorzgkyln/1.3.5/package.json",
        "deno-cache",
        "d/npm/",
        "JSONStream",
        "d/npm/registry.example/_jjju6tstorzgkyln/1.3.5",
        True,
        "1.3.5",
    ),
    (
        "d/npm/registry.example/sharp/0.33.0-rc.1_2.build_0a1b/package.json",
        "deno-cache",
        "d/npm/",
        "sharp",
        "d/npm/registry.example/sharp/0.33.0-rc.1_2.build_0a1b",
        True,
        "0.33.0-rc.1",
    ),
    (
        "d/npm/registry.example/whole/2.0.0/node_modules/inner/package.json",
        "deno-cache",
        "d/npm/",
        "inner",
        "d/npm/registry.example/whole/2.0.0/node_modules/inner",
        True,
        None,
    ),
    ("packages/npm/axios/package.json", "project", "packages/npm/axios/", None, "packages/npm/axios", False, None),
    ("cdn/npm/axios/1.14.1/package.json", "project", "cdn/npm/axios/1.14.1/", None, "cdn/npm/axios/1.14.1", False, None),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_places(case: tuple[str, str, str, str | None, str, bool, str | None]) -> None:
    path, layout, project, package, folder, at_root, version = case
    assert place_of(path) == Place(layout, project, package, folder, at_root, version)
    assert project_of(path) == project


@pytest.mark.parametrize(
    ("folder", "release"),
    [
        ("axios@1.14.1", ("axios", "1.14.1")),
        ("@s+n@1.2.3", ("@s/n", "1.2.3")),
        ("@s+n@1.2.3(react@19.0.0)", ("@s/n", "1.2.3")),
        ("a+b@1.0.0+build", ("a/b", "1.0.0+build")),
        ("axios", None),
        ("@s+n", None),
        ("axios@file+x", None),
    ],
)
def test_virtual_folders(folder: str, release: tuple[str, str] | None) -> None:
    assert split_virtual(folder) == release


def test_names_that_are_not_base32_stay() -> None:
    assert decoded_name("_jjju6tstorzgkyln") == "JSONStream"
    for name in ("axios", "_", "_!", "_77", "_é"):
        assert decoded_name(name) in (name, "")


@given(st.lists(st.sampled_from(["node_modules", "@s", "n", ".pnpm", ".deno", ".bun", "npm", "links", "cache", "install",
                                 "axios@1.0.0@@@1", "@T@x", "1.0.0", "h.example", "", "@", "@@@", "a@b"]), max_size=9))  # fmt: skip
def test_any_path_has_a_place(parts: list[str]) -> None:
    path = "/".join([*parts, "package.json"])
    place = place_of(path)
    assert path.startswith(place.project)
    assert place.package is None or path.startswith(place.folder)


@given(st.text(alphabet="ab@/.-_019n", max_size=40))
def test_any_text_has_a_place(path: str) -> None:
    place_of(path)
    place_of(f"node_modules/{path}")
    place_of(f"npm/h.example/{path}")
