#!/bin/sh
# empyrical cannot be imported where Python drops docstrings, and so neither can pyfolio.
#
# empyrical-reloaded 0.7.1, under `python -OO` or PYTHONOPTIMIZE=2: importing it raises AttributeError, because it
# formats docstrings of its own functions as it is imported, and there are none. pyfolio-reloaded 0.10.1, which
# imports it first of all, fails with it. Under `python -O`, which drops assertions only, both are imported; so are
# numpy and pandas under -OO, whose functions have docstrings too. Images of containers that set
# PYTHONOPTIMIZE=2 to save space meet this at the first import.
#
# Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pyfolio-reloaded==0.10.1 empyrical-reloaded==0.7.1 pandas==3.1.1
try() {
  "$folder/venv/bin/python" -W ignore "$@" 2>&1 | tail -n 1
}
for flag in -O -OO; do
  for library in numpy pandas empyrical pyfolio; do
    answer=$(try "$flag" -c "import $library; print('imported')")
    echo "python $flag, $library: $answer"
    case "$flag $library" in
      "-OO empyrical" | "-OO pyfolio") expected="AttributeError: 'NoneType' object has no attribute 'format'" ;;
      *) expected="imported" ;;
    esac
    [ "$answer" = "$expected" ]
  done
done
