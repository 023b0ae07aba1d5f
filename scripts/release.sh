#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/release.sh --check [VERSION]   version.hpp, CHANGELOG.md, CITATION.cff and the packages' files agree; with VERSION all
#                                        are that release
# scripts/release.sh VERSION             the same, then tags this commit v<VERSION>, if all is committed and no such tag is there
#
# Pushing the tag stays yours to do.
set -eu
cd "$(dirname "$0")/.."
usage() { sed -n '3,7s/^# \{0,1\}//p' scripts/release.sh >&2; exit 2; }

check=
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
version=${1:-}
case $version in
    '') if [ -z "$check" ]; then usage; fi ;;
    *[!0-9.]*) usage ;;
esac

python3 tests/tools/check_version.py . ${version:+--expect "$version"}
if [ -n "$check" ]; then exit 0; fi

if [ -n "$(git status --porcelain)" ]; then
    echo "There are changes that are not committed; a tag would leave them out." >&2
    exit 1
fi
if git rev-parse -q --verify "refs/tags/v$version" >/dev/null; then
    echo "v$version is tagged already: $(git rev-parse --short "v$version")" >&2
    exit 1
fi
git tag -a "v$version" -m "vicinal $version"
echo "Tagged v$version. Publish it by: git push origin v$version"
