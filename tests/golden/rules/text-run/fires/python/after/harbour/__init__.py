raise SystemExit('inert example')
import base64
exec(base64.b64decode('cHJpbnQoJ2EgZGVjb2RlZCB0ZXh0IHRoYXQgd291bGQgYmUgcnVuIGFzIGNvZGUnKQ=='))
