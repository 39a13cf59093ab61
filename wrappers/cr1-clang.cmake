# CMake toolchain file: compile with cr1-clang and cr1-clang++.
#
#   cmake -DCMAKE_TOOLCHAIN_FILE=<this file> -DCMAKE_BUILD_TYPE=MinSizeRel …
#
# The compilers are looked for in CR1_BIN (CMake or environment variable), beside
# this file and in its checkout's .venv, then on PATH. To cross-compile, include
# this file from your own toolchain file: it sets the two compilers and nothing
# else, so CMAKE_SYSTEM_NAME, CMAKE_SYSROOT and CMAKE_C_COMPILER_TARGET stay yours.
# cr1-gcc.cmake includes it for the other two compilers.

if(NOT DEFINED _cr1_c)
  set(_cr1_c "cr1-clang")
  set(_cr1_cxx "cr1-clang++")
endif()

# CMake reads this file again in every try_compile, which knows only these variables.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CR1_BIN)
list(REMOVE_DUPLICATES CMAKE_TRY_COMPILE_PLATFORM_VARIABLES)

get_filename_component(_cr1_here "${CMAKE_CURRENT_LIST_FILE}" REALPATH)
get_filename_component(_cr1_here "${_cr1_here}" DIRECTORY)

set(_cr1_folders "${CR1_BIN}" "$ENV{CR1_BIN}" "${_cr1_here}" "${_cr1_here}/../.venv/bin")
string(REPLACE ":" ";" _cr1_path "$ENV{PATH}")
list(APPEND _cr1_folders ${_cr1_path})

set(_cr1_found "")
foreach(_cr1_folder IN LISTS _cr1_folders)
  if(_cr1_folder AND NOT _cr1_found
     AND EXISTS "${_cr1_folder}/${_cr1_c}" AND EXISTS "${_cr1_folder}/${_cr1_cxx}")
    get_filename_component(_cr1_found "${_cr1_folder}" ABSOLUTE)
  endif()
endforeach()

if(NOT _cr1_found)
  message(FATAL_ERROR
    "${_cr1_c} was not found: put it on PATH or set CR1_BIN to the folder that holds it")
endif()

set(CR1_BIN "${_cr1_found}" CACHE PATH "The folder of ${_cr1_c} and ${_cr1_cxx}")
set(CMAKE_C_COMPILER "${_cr1_found}/${_cr1_c}")
set(CMAKE_CXX_COMPILER "${_cr1_found}/${_cr1_cxx}")
