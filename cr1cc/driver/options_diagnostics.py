"""What is printed, and how. Warnings that only the back end can give are in
`options_pass_through`."""

from __future__ import annotations

from cr1cc.driver.option import Form, Meaning, Row

FLAG = Form.FLAG
JOINED = Form.JOINED
DIAGNOSTICS = Meaning.DIAGNOSTICS

DIAGNOSTICS_ROWS: tuple[Row, ...] = (
    ("--end-no-unused-arguments", FLAG, DIAGNOSTICS),
    ("--no-pedantic", FLAG, DIAGNOSTICS),
    ("--no-warnings", FLAG, DIAGNOSTICS),
    ("--pedantic", FLAG, DIAGNOSTICS),
    ("--pedantic-errors", FLAG, DIAGNOSTICS),
    ("--start-no-unused-arguments", FLAG, DIAGNOSTICS),
    ("-Qunused-arguments", FLAG, DIAGNOSTICS),
    ("-W", JOINED, DIAGNOSTICS),
    ("-f[no-]caret-diagnostics", FLAG, DIAGNOSTICS),
    ("-f[no-]color-diagnostics", FLAG, DIAGNOSTICS),
    ("-f[no-]crash-diagnostics", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-color", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-fixit-info", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-line-numbers", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-note-include-stack", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-option", FLAG, DIAGNOSTICS),
    ("-f[no-]safe-buffer-usage-suggestions", FLAG, DIAGNOSTICS),
    ("-f[no-]show-column", FLAG, DIAGNOSTICS),
    ("-f[no-]show-source-location", FLAG, DIAGNOSTICS),
    ("-f[no-]spell-checking", FLAG, DIAGNOSTICS),
    ("-fansi-escape-codes", FLAG, DIAGNOSTICS),
    ("-fcaret-diagnostics-max-lines=", JOINED, DIAGNOSTICS),
    ("-fconstexpr-backtrace-limit=", JOINED, DIAGNOSTICS),
    ("-fcrash-diagnostics-dir=", JOINED, DIAGNOSTICS),
    ("-fcrash-diagnostics=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-absolute-paths", FLAG, DIAGNOSTICS),
    ("-fdiagnostics-color=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-format=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-parseable-fixits", FLAG, DIAGNOSTICS),
    ("-fdiagnostics-print-source-range-info", FLAG, DIAGNOSTICS),
    ("-fdiagnostics-show-category=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-show-template-tree", FLAG, DIAGNOSTICS),
    ("-ferror-limit=", JOINED, DIAGNOSTICS),
    ("-fmacro-backtrace-limit=", JOINED, DIAGNOSTICS),
    ("-fmessage-length=", JOINED, DIAGNOSTICS),
    ("-fno-elide-type", FLAG, DIAGNOSTICS),
    ("-fshow-overloads=", JOINED, DIAGNOSTICS),
    ("-fspell-checking-limit=", JOINED, DIAGNOSTICS),
    ("-ftabstop=", JOINED, DIAGNOSTICS),
    ("-ftemplate-backtrace-limit=", JOINED, DIAGNOSTICS),
    ("-no-pedantic", FLAG, DIAGNOSTICS),
    ("-pedantic", FLAG, DIAGNOSTICS),
    ("-pedantic-errors", FLAG, DIAGNOSTICS),
    ("-w", FLAG, DIAGNOSTICS),
)
