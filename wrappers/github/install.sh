#!/bin/sh
# Installs cr1cc for the steps behind this one; called by action.yml.
#
# Reads CR1_PACKAGE (what pip installs, by default the checkout around this file) and
# CR1_LLVM ("true": a clang, too), and what the runner sets: RUNNER_TEMP, GITHUB_ENV,
# GITHUB_PATH and GITHUB_OUTPUT.
set -eu

checkout=$(cd "$(dirname "$0")/../.." && pwd -P)
home=$RUNNER_TEMP/cr1cc
python=$home/venv/bin/python

# Of llama.cpp, which pip builds from source, only what is needed: see docs/model.md.
llama="-DLLAVA_BUILD=OFF -DGGML_OPENMP=OFF -DGGML_NATIVE=OFF"
llama="$llama -DCMAKE_PROJECT_llama_cpp_INCLUDE=$checkout/cr1cc/model/llama.cmake"
export CMAKE_ARGS="${CMAKE_ARGS:-$llama}"

pip_install() {
  "$python" -m pip install --quiet --disable-pip-version-check "$1"
}

# An environment of its own: pip refuses to change the Python of newer distributions.
python3 -m venv "$home/venv"
pip_install "${CR1_PACKAGE:-$checkout}"
if [ "${CR1_LLVM:-}" = true ]; then
  pip_install 'cr1cc[llvm]'
  "$python" -c '' # the first start completes the links of that LLVM
fi

# A folder of our commands alone: the environment's Python and clang are not the job's.
mkdir -p "$home/bin"
for name in cr1 cr1-clang cr1-clang++; do
  ln -sf "$home/venv/bin/$name" "$home/bin/$name"
done

echo "$home/bin" >> "$GITHUB_PATH"
{
  echo "CC=$home/bin/cr1-clang"
  echo "CXX=$home/bin/cr1-clang++"
} >> "$GITHUB_ENV"
echo "cache=$("$home/bin/cr1" cache path)" >> "$GITHUB_OUTPUT"

# For the log; compiles pass through where something is missing.
"$home/bin/cr1" doctor || true
# The summary is about this job, also on a runner that keeps its home.
"$home/bin/cr1" stats --zero
