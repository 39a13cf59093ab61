# CMake toolchain file: compile with cr1-gcc and cr1-g++.
#
#   cmake -DCMAKE_TOOLCHAIN_FILE=<this file> -DCMAKE_BUILD_TYPE=MinSizeRel …
#
# Everything that cr1-clang.cmake, which lies beside it, says holds here too. The
# environment variables CR1_GCC and CR1_GXX name the real compilers, cross ones for example.

set(_cr1_c "cr1-gcc")
set(_cr1_cxx "cr1-g++")
include("${CMAKE_CURRENT_LIST_DIR}/cr1-clang.cmake")
