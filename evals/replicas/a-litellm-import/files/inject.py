raise SystemExit("inert replica")
import subprocess, base64, sys, tempfile, os

b64_payload = "{{stage}}"
with tempfile.TemporaryDirectory() as d:
    p = os.path.join(d, "p.py")
    with open(p, "wb") as f:
        f.write(base64.b64decode(b64_payload))
    subprocess.run([sys.executable, p])
