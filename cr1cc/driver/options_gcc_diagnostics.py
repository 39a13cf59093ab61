"""What gcc prints, and how. The user's own command says it, no donor."""

from __future__ import annotations

from cr1cc.driver.option import Form, Meaning, Row

FLAG = Form.FLAG
JOINED = Form.JOINED
DIAGNOSTICS = Meaning.DIAGNOSTICS

GCC_DIAGNOSTICS_ROWS: tuple[Row, ...] = (
    ("--all-warnings", FLAG, DIAGNOSTICS),
    ("--extra-warnings", FLAG, DIAGNOSTICS),
    ("--no-warnings", FLAG, DIAGNOSTICS),
    ("--pedantic", FLAG, DIAGNOSTICS),
    ("--pedantic-errors", FLAG, DIAGNOSTICS),
    ("--trace-includes", FLAG, DIAGNOSTICS),
    ("-H", FLAG, DIAGNOSTICS),
    ("-W", JOINED, DIAGNOSTICS),
    ("-f[no-]diagnostics-color", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-generate-patch", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-parseable-fixits", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-caret", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-cwe", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-highlight-colors", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-labels", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-line-numbers", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-option", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-path-depths", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-rules", FLAG, DIAGNOSTICS),
    ("-f[no-]diagnostics-show-template-tree", FLAG, DIAGNOSTICS),
    ("-f[no-]optional-diags", FLAG, DIAGNOSTICS),
    ("-f[no-]pretty-templates", FLAG, DIAGNOSTICS),
    ("-f[no-]report-bug", FLAG, DIAGNOSTICS),
    ("-f[no-]show-column", FLAG, DIAGNOSTICS),
    ("-fconcepts-diagnostics-depth=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-color=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-column-origin=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-column-unit=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-escape-format=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-format=json", FLAG, DIAGNOSTICS),
    ("-fdiagnostics-format=json-stderr", FLAG, DIAGNOSTICS),
    ("-fdiagnostics-format=sarif-stderr", FLAG, DIAGNOSTICS),
    ("-fdiagnostics-format=text", FLAG, DIAGNOSTICS),
    ("-fdiagnostics-minimum-margin-width=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-path-format=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-plain-output", FLAG, DIAGNOSTICS),
    ("-fdiagnostics-show-location=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-text-art-charset=", JOINED, DIAGNOSTICS),
    ("-fdiagnostics-urls=", JOINED, DIAGNOSTICS),
    ("-fmax-errors=", JOINED, DIAGNOSTICS),
    ("-fmessage-length=", JOINED, DIAGNOSTICS),
    ("-ftabstop=", JOINED, DIAGNOSTICS),
    ("-ftemplate-backtrace-limit=", JOINED, DIAGNOSTICS),
    ("-pedantic", FLAG, DIAGNOSTICS),
    ("-pedantic-errors", FLAG, DIAGNOSTICS),
    ("-w", FLAG, DIAGNOSTICS),
)
