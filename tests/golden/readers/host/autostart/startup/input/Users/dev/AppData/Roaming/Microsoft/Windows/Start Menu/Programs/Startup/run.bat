@echo off
wscript C:\Users\dev\AppData\run.vbs not-a-secret
