#!/bin/sh
# The digest lists every post, the newest first.
set -eu
cd "$(dirname "$0")"

expected='2024-06-12 Cold soup
2024-05-01 Bread
2024-05-01 Crème brûlée
2023-11-20 Heißer Kakao'
actual=$(sh digest.sh)
if [ "$actual" != "$expected" ]; then
    printf 'digest.sh printed:\n%s\n\nexpected:\n%s\n' "$actual" "$expected" >&2
    exit 1
fi
echo "1 passed"
