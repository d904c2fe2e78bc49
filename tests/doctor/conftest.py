"""The scripts are what is examined; they are no tests, and are run only under watch."""

collect_ignore = ["scripts"]
