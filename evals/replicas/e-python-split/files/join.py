raise SystemExit("inert replica")
from toml import _codec, _gauge, _sink

_sink.emit(_codec.packed(_gauge.sample()))
