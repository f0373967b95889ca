"""The steps of an image's history, and that no value of theirs is told."""

from __future__ import annotations

import pytest

from pratique.targets.steps import step

SECRET = "npm_1234567890abcdefABCDEF"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("RUN /bin/sh -c npm ci --ignore-scripts # buildkit", "RUN npm ci --ignore-scripts"),
        ("/bin/sh -c npm install axios@1.14.1 && rm -rf /tmp/x", "RUN npm install axios@1.14.1; rm …"),
        (f"RUN |2 NPM_TOKEN={SECRET} B=c d /bin/sh -c npm ci # buildkit", "RUN npm ci"),
        (f"|1 NPM_TOKEN={SECRET} /bin/sh -c yarn install", "RUN yarn install"),
        (f"RUN |1 NPM_TOKEN={SECRET} cmd /S /C npm ci", "RUN"),
        (f"/bin/sh -c #(nop)  ENV NPM_TOKEN={SECRET}", "ENV NPM_TOKEN"),
        (f"ENV NPM_TOKEN {SECRET}", "ENV NPM_TOKEN"),
        (f'ENV OPTIONS="--a {SECRET}=="', "ENV OPTIONS"),
        (f"ARG TOKEN={SECRET}", "ARG TOKEN"),
        (f"LABEL key={SECRET} other={SECRET}", "LABEL key"),
        ('/bin/sh -c #(nop)  CMD ["node" "--token=x"]', "CMD"),
        ("COPY package.json ./ # buildkit", "COPY package.json ./"),
        ("/bin/sh -c #(nop) COPY dir:0123abcd in /app ", "COPY dir:0123abcd in /app"),
        (f"ADD https://user:{SECRET}@files.test/x.tgz?key={SECRET} /x", "ADD https://files.test/x.tgz /x"),
        (f"RUN curl -H 'Authorization: Bearer {SECRET}' https://u:{SECRET}@h.test/", "RUN curl …"),
        (f"RUN npm config set //registry.example/:_authToken {SECRET}", "RUN npm config"),
        (f"RUN NPM_TOKEN={SECRET} npm ci", "RUN npm ci"),
        (f"RUN echo {SECRET} > .npmrc; npm ci", "RUN echo …; npm ci"),
        (f"RUN --mount=type=secret,id={SECRET} npm ci", "RUN npm ci"),
        ("WORKDIR /app", "WORKDIR /app"),
        ("umoci repack", "umoci …"),
        ("", ""),
        (f"{SECRET}{SECRET}", ""),
    ],
)
def test_a_step_is_told_without_its_values(text: str, told: str) -> None:
    assert step(text) == told
    assert SECRET not in step(text)


def test_long_text_ends_soon() -> None:
    assert len(step("RUN " + "npm ci && " * 100_000)) < 300
    assert len(step("RUN |1 A=" + "/bin/s" * 100_000)) < 300
