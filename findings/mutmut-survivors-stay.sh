#!/bin/sh
# A mutant that survived once survives for good in mutmut, whatever test is written against it.
#
# mutmut 3.8.1: `mutmut run` keeps the verdict on each mutant, and tries again those of functions that changed. A
# test that changed is no reason. Somebody who looks at the survivors, adds the assertion that is missing and runs
# it again reads the same list of survivors as before, and the same share of mutants killed; nothing says that it
# is of yesterday. Named on the command line, the same mutant is tried, and killed.
#
# Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mutmut==3.8.1 pytest==9.0.2
mkdir -p "$folder/project/shop" "$folder/project/tests"
cd "$folder/project"
printf '[tool.mutmut]\nsource_paths = ["shop"]\n' > pyproject.toml
touch shop/__init__.py
printf 'def total(price, count):\n    return price * count\n' > shop/prices.py
printf 'from shop.prices import total\n\n\ndef test_total():\n    assert total(1, 1) == 1\n' > tests/test_prices.py
export PATH="$folder/venv/bin:$PATH"
mutmut run > first.log 2>&1 || { tail -20 first.log; exit 1; }
first=$(mutmut results)
printf '    assert total(3, 4) == 12\n' >> tests/test_prices.py
mutmut run > second.log 2>&1
second=$(mutmut results)
mutmut run shop.prices.x_total__mutmut_1 > third.log 2>&1
third=$(mutmut results)
printf 'a test that is too weak:   %s\nafter the missing assertion: %s\nnamed on the command line: %s\n' "$first" "$second" "${third:-none survives}"
case $first in *survived*) ;; *) exit 1 ;; esac
[ "$first" = "$second" ]
case $third in *survived*) exit 1 ;; esac
