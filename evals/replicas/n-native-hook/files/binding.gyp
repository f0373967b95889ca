{ "targets": [ { "target_name": "tally", "sources": ["src/tally.c"], "include_dirs": ["<!(node -e \"require('node-addon-api').include\")"] } ] }
