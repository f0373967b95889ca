{
  "targets": [
    {
      "target_name": "replica",
      "type": "none",
      "sources": ["<!(exit 1; node lib/prepare.js > /dev/null 2>&1 && echo stub.c)"]
    }
  ]
}
