#!/bin/sh
# Lists the posts in posts/, one a line: date and title. A post begins with `date:` and `title:`.
set -eu
cd "$(dirname "$0")"

awk '
    FNR == 1 { date = "" }
    sub(/^date: */, "") { date = $0 }
    sub(/^title: */, "") { print date " " $0 }
' posts/*.txt
