# For a plain makefile: compile with cr1-clang and cr1-clang++, or with cr1-gcc and cr1-g++.
#
#   include <this file>
#
# It sets CC and CXX unless the command line of make does, and nothing else: add
# -Oz or -Os to your own CFLAGS. CR1_COMPILER is clang (the default) or gcc. CR1_BIN
# names the folder of the compilers when they are neither beside this file, nor in its
# checkout's .venv, nor on PATH.

_cr1_c := cr1-$(or $(CR1_COMPILER),clang)
_cr1_here := $(dir $(realpath $(lastword $(MAKEFILE_LIST))))
_cr1_folders := $(CR1_BIN) $(_cr1_here) $(_cr1_here)../.venv/bin $(subst :, ,$(PATH))
_cr1_found := $(firstword $(foreach folder,$(_cr1_folders),$(wildcard $(folder)/$(_cr1_c))))

ifeq ($(_cr1_found),)
$(error $(_cr1_c) was not found: put it on PATH or set CR1_BIN to the folder that holds it)
endif

CC := $(abspath $(_cr1_found))
CXX := $(patsubst %cr1-gcc++,%cr1-g++,$(CC)++)
