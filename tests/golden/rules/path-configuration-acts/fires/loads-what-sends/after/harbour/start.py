raise SystemExit("inert example")
import urllib.request

urllib.request.urlopen("https://collect.invalid/in")
