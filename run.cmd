@echo off
rem Starts FieldCRM on a demo workspace, like ./run on Linux. NOT TRIED: nobody has run this on Windows yet.
rem   run.cmd                opens the program
rem   run.cmd --headless …   plays a whole working day without a screen
setlocal
set "here=%~dp0"
set "venv=%here%.venv"
fc /b "%here%requirements\desktop.txt" "%venv%\made-from-desktop.txt" >nul 2>&1 && goto start
fc /b "%here%requirements\dev.txt" "%venv%\made-from-dev.txt" >nul 2>&1 && goto start
where uv >nul 2>&1 && (
  uv venv --quiet --allow-existing "%venv%" || exit /b 1
  uv pip install --quiet --python "%venv%\Scripts\python.exe" --require-hashes -r "%here%requirements\desktop.txt" || exit /b 1
  goto made
)
py -3 -c "import sys; sys.exit(sys.version_info < (3, 11))" || (
  echo Python 3.11 or later is needed: https://www.python.org/downloads/
  exit /b 1
)
py -3 -m venv "%venv%" || exit /b 1
"%venv%\Scripts\python.exe" -m pip install --quiet --only-binary :all: --require-hashes -r "%here%requirements\desktop.txt" || exit /b 1
:made
copy /y "%here%requirements\desktop.txt" "%venv%\made-from-desktop.txt" >nul
:start
set "PYTHONPATH=%here%;%PYTHONPATH%"
set "first=%~1"
if "%first%"=="" goto demo
if "%first%"=="--help" goto command
if "%first%"=="--version" goto command
if "%first:~0,1%"=="-" goto demo
:command
"%venv%\Scripts\python.exe" -m fieldcrm %*
exit /b %errorlevel%
:demo
"%venv%\Scripts\python.exe" -m fieldcrm demo %*
exit /b %errorlevel%
