#!/bin/sh
# Adds `cr1 stats` to the summary of a job; called by action.yml.
#
# Reads GITHUB_STEP_SUMMARY, which the runner sets. It never fails: a job that
# could not install cr1cc has said so already.
set -u

command -v cr1 > /dev/null || exit 0
{
  echo '### cr1cc'
  echo
  # Indented lines are code in Markdown, whatever characters they hold.
  cr1 stats 2>&1 | sed 's/^/    /'
  echo
} >> "$GITHUB_STEP_SUMMARY"
