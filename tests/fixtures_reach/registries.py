"""Recipes of package registries, as their clients write the files."""

from __future__ import annotations

import base64
import string

from tests.fixtures_reach import Ground

HEX = "0123456789abcdef"


def npm_rc(ground: Ground) -> None:
    """`npm login`, `npm config set`, and a project that refers to a variable."""
    pair = f"dev:{ground.secret(length=24)}"
    ground.write(
        "$HOME/.npmrc",
        f"//registry.example/:_authToken={ground.secret('npm_')}\n"
        f"//other.example/:username=dev\n//other.example/:_password={ground.secret(length=24)}\n"
        f"//third.example/:_auth={ground.keep(base64.b64encode(pair.encode()).decode())}\nengine-strict\n",
    )
    ground.write("$PROJECT/.npmrc", "//registry.example/:_authToken=${NPM_TOKEN}\nsave-exact=true\n")
    ground.variable("NPM_TOKEN", ground.secret("npm_"))


def npm_global(ground: Ground) -> None:
    """The settings of all users, with Windows line ends and a byte order mark."""
    ground.write("/etc/npmrc", f"\ufeff//registry.example/:_authToken = {ground.secret('npm_')}\r\n".encode())


def yarn_classic(ground: Ground) -> None:
    """Quoted names and values."""
    ground.write(
        "$HOME/.yarnrc",
        "# yarn lockfile v1\n"
        f'"//registry.example/:_authToken" "{ground.secret("npm_")}"\nlastUpdateCheck 1770000000\n'
        f'registry "https://dev:{ground.secret(length=20)}@yarn.example/"\n',
    )


def yarn_berry(ground: Ground) -> None:
    """`yarn config set -H`, a token for a scope and a reference."""
    ground.write(
        "$HOME/.yarnrc.yml",
        "npmScopes:\n  shop:\n    npmRegistryServer: https://registry.example\n"
        f"    npmAuthToken: {ground.secret('npm_')}\n"
        'npmRegistries:\n  "//other.example":\n    npmAlwaysAuth: true\n'
        f'    npmAuthIdent: "dev:{ground.secret(length=20)}"\n',
    )
    ground.write("$PROJECT/.yarnrc.yml", 'npmAuthToken: "${YARN_TOKEN:-}"\nnodeLinker: node-modules\n')


def pnpm_rc(ground: Ground) -> None:
    """`pnpm config set`."""
    ground.write("$XDG_CONFIG_HOME/pnpm/rc", f"//registry.example/:_authToken={ground.secret('npm_')}\n")


def bun(ground: Ground) -> None:
    """A scope with a token."""
    ground.write(
        "$HOME/.bunfig.toml",
        '[install.scopes]\nshop = { token = "' + ground.secret("npm_") + '", url = "https://registry.example/" }\n',
    )


def pypirc(ground: Ground) -> None:
    """Two indexes."""
    ground.write(
        "$HOME/.pypirc",
        "[distutils]\nindex-servers =\n    index\n    inner\n\n[index]\nusername = __token__\n"
        f"password = {ground.secret('pypi-AgEI', 150)}\n\n[inner]\nrepository: https://index.example/legacy/\n"
        f"username: dev\npassword: {ground.secret(length=18)}\n",
    )


def twine_env(ground: Ground) -> None:
    """The variables of a publishing job."""
    ground.variable("TWINE_PASSWORD", ground.secret("pypi-AgEI", 150))


def pip_conf(ground: Ground) -> None:
    """An index with a user, and one that goes on in a second line."""
    ground.write(
        "$XDG_CONFIG_HOME/pip/pip.conf",
        f"[global]\nindex-url = https://dev:{ground.secret(length=16)}@index.example/simple\n"
        f"extra-index-url =\n    https://open.example/simple\n    https://{ground.secret(length=30)}@second.example/\n",
    )
    ground.write("/etc/pip.conf", f"[global]\nindex-url = http://ops:{ground.secret(length=16)}@index.example/\n")


def poetry_auth(ground: Ground) -> None:
    """`poetry config pypi-token.index`, without a keyring."""
    ground.write(
        "$XDG_CONFIG_HOME/pypoetry/auth.toml",
        f'[pypi-token]\nindex = "{ground.secret("pypi-AgEI", 150)}"\n\n[http-basic.inner]\nusername = "dev"\n'
        f'password = "{ground.secret(length=20)}"\n',
    )


def uv_store(ground: Ground) -> None:
    """`uv auth login`."""
    ground.write(
        "$XDG_DATA_HOME/uv/credentials/credentials.toml",
        '[[credential]]\nservice = "https://index.example"\nusername = "__token__"\nscheme = "basic"\n'
        f'password = "{ground.secret("pypi-AgEI", 150)}"\n',
    )


def keyring_py(ground: Ground) -> None:
    """The plain-text backend of keyrings.alt, which is not opened."""
    packed = base64.b64encode(ground.secret(length=20).encode()).decode()
    ground.write("$XDG_DATA_HOME/python_keyring/keyring_pass.cfg", f"[index_2Eexample]\ndev = {packed}\n")


def rubygems(ground: Ground) -> None:
    """`gem signin`, and a key with a name."""
    ground.write(
        "$HOME/.gem/credentials",
        f"---\n:rubygems_api_key: {ground.secret('rubygems_', 48, HEX)}\n:push: {ground.secret('rubygems_', 48, HEX)}\n",
    )


def bundler(ground: Ground) -> None:
    """`bundle config set --global`, beside settings."""
    ground.write(
        "$HOME/.bundle/config",
        f'---\nBUNDLE_GEMS__EXAMPLE__COM: "dev:{ground.secret(length=20)}"\nBUNDLE_BUILD__NOKOGIRI: "--use-system"\n'
        'BUNDLE_PATH: "vendor/bundle"\n',
    )


def cargo(ground: Ground) -> None:
    """`cargo login`, and a registry of the company."""
    ground.write(
        "$HOME/.cargo/credentials.toml",
        f'[registry]\ntoken = "{ground.secret("cio", 32)}"\n\n[registries.inner]\ntoken = "{ground.secret(length=40)}"\n',
    )


def maven(ground: Ground) -> None:
    """A server with a password, one that is encrypted with a master password, one that is a variable."""
    ground.write(
        "$HOME/.m2/settings.xml",
        '<?xml version="1.0"?>\n<settings><servers>\n'
        f"<server><id>inner</id><username>dev</username><password>{ground.secret(length=20)}</password></server>\n"
        f"<server><id>enc</id><username>dev</username><password>{{{ground.secret(length=44)}=}}</password></server>\n"
        "<server><id>ci</id><username>ci</username><password>${env.MAVEN_PASSWORD}</password></server>\n"
        "</servers></settings>\n",
    )
    ground.write(
        "$HOME/.m2/settings-security.xml",
        f"<settingsSecurity>\n  <master>{{{ground.secret(length=44)}=}}</master>\n</settingsSecurity>\n",
    )


def gradle(ground: Ground) -> None:
    """Properties of a user, beside settings."""
    ground.write(
        "$HOME/.gradle/gradle.properties",
        f"org.gradle.jvmargs=-Xmx2g\nmavenPassword={ground.secret(length=20)}\nsigning.password={ground.secret(length=20)}\n"
        "signing.secretKeyRingFile=/home/dev/.gnupg/secring.gpg\nnexusUsername=dev\n",
    )


def nuget(ground: Ground) -> None:
    """A source with a password in clear, and a key for publishing."""
    ground.write(
        "$HOME/.nuget/NuGet/NuGet.Config",
        '<?xml version="1.0" encoding="utf-8"?>\n<configuration>\n  <packageSourceCredentials>\n    <inner>\n'
        '      <add key="Username" value="dev" />\n'
        f'      <add key="ClearTextPassword" value="{ground.secret(length=24)}" />\n    </inner>\n'
        '  </packageSourceCredentials>\n  <apikeys>\n    <add key="https://index.example/" '
        f'value="{ground.secret("oy2", 43, string.ascii_lowercase + string.digits)}" />\n  </apikeys>\n</configuration>\n',
    )


def composer(ground: Ground) -> None:
    """`composer config --global --auth`."""
    ground.write(
        "$XDG_CONFIG_HOME/composer/auth.json",
        '{"github-oauth": {"github.com": "' + ground.secret("ghp_") + '"}, "http-basic": {"repo.example": '
        '{"username": "dev", "password": "'
        + ground.secret(length=20)
        + '"}}, "bearer": {"b.example": "'
        + ground.secret(length=40)
        + '"}}\n',
    )


def go_private(ground: Ground) -> None:
    """`go env -w`."""
    ground.write(
        "$XDG_CONFIG_HOME/go/env",
        f"GOPRIVATE=git.example/*\nGOPROXY=https://dev:{ground.secret(length=20)}@proxy.example,direct\n",
    )


def hex_config(ground: Ground) -> None:
    """`mix hex.user auth`."""
    ground.write(
        "$HOME/.hex/hex.config",
        "{'$username',<<\"dev\">>}.\n"
        f'{{\'$write_key\',<<"{ground.secret(length=64, alphabet=HEX)}">>}}.\n{{api_key,<<"{ground.secret(length=32)}">>}}.\n',
    )


def pub_dart(ground: Ground) -> None:
    """`dart pub login`."""
    ground.write(
        "$XDG_CONFIG_HOME/dart/pub-credentials.json",
        '{"accessToken":"' + ground.secret("ya29.", 120) + '","refreshToken":"' + ground.secret("1//0", 90) + '",'
        '"tokenEndpoint":"https://accounts.example/o/oauth2/token","scopes":["openid","email"],"expiration":1770003600000}',
    )


def cocoapods(ground: Ground) -> None:
    """`pod trunk register` writes into `.netrc`."""
    ground.write(
        "$HOME/.netrc",
        f"machine trunk.pods.example\n  login dev@shop.example\n  password {ground.secret(length=32, alphabet=HEX)}\n",
        append=True,
    )


def jfrog(ground: Ground) -> None:
    """`jf config add`."""
    ground.write(
        "$HOME/.jfrog/jfrog-cli.conf.v6",
        '{"servers": [{"url": "https://jfrog.example/", "user": "dev", "serverId": "main", "accessToken": "'
        + ground.secret("cmVmd", 59)
        + '", "password": "'
        + ground.secret("AKCp", 69)
        + '"}], "version": "6"}\n',
    )


RECIPES = {
    "npm-rc": npm_rc,
    "npm-global": npm_global,
    "yarn-classic": yarn_classic,
    "yarn-berry": yarn_berry,
    "pnpm-rc": pnpm_rc,
    "pypirc": pypirc,
    "twine-env": twine_env,
    "pip-conf": pip_conf,
    "keyring-py": keyring_py,
    "rubygems": rubygems,
    "bundler": bundler,
    "gradle": gradle,
    "go-private": go_private,
    "hex": hex_config,
    "cocoapods": cocoapods,
    "bun": bun,
    "poetry-auth": poetry_auth,
    "uv-store": uv_store,
    "cargo": cargo,
    "maven": maven,
    "nuget": nuget,
    "composer": composer,
    "pub-dart": pub_dart,
    "jfrog": jfrog,
}
