# SPDX-License-Identifier: MIT
# What vicinal's own tests, examples and benchmarks are built with, and no consumer ever sees.

option(VICINAL_NATIVE "Build tests, examples and benchmarks for this machine's processor (-march=native)" ON)
option(VICINAL_WERROR "Stop at a warning in tests, examples and benchmarks" ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

find_program(VICINAL_CCACHE ccache)
mark_as_advanced(VICINAL_CCACHE)
if(VICINAL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${VICINAL_CCACHE}")
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")  # where scripts/ look for programs
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(vicinal_warnings -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
add_library(vicinal_developer INTERFACE)
target_link_libraries(vicinal_developer INTERFACE vicinal::vicinal)
if(MSVC)
  target_compile_options(vicinal_developer INTERFACE /W4 /permissive- $<$<BOOL:${VICINAL_WERROR}>:/WX>)
else()
  set(vicinal_active_warnings ${vicinal_warnings})
  if(NOT VICINAL_WERROR)
    list(REMOVE_ITEM vicinal_active_warnings -Werror)
  endif()
  # GCC 12 takes its own AVX-512 intrinsics for uses of uninitialised values wherever they are inlined.
  if(VICINAL_NATIVE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    include(CheckCXXSourceCompiles)
    set(CMAKE_REQUIRED_FLAGS -march=native)
    check_cxx_source_compiles("#ifndef __AVX512F__\n#error\n#endif\nint main() {}" VICINAL_NATIVE_AVX512)
    unset(CMAKE_REQUIRED_FLAGS)
    if(VICINAL_NATIVE_AVX512)
      list(APPEND vicinal_active_warnings -Wno-maybe-uninitialized -Wno-uninitialized)
    endif()
  endif()
  target_compile_options(vicinal_developer INTERFACE ${vicinal_active_warnings} $<$<BOOL:${VICINAL_NATIVE}>:-march=native>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # 4 % of the time goes into collecting garbage of half of a gigabyte
    target_compile_options(vicinal_developer INTERFACE --param=ggc-min-heapsize=800000)
  endif()
endif()

# Makes `target` one of ours: vicinal, all warnings, and this machine's instruction set unless VICINAL_NATIVE is off.
function(vicinal_developer_target target)
  target_link_libraries(${target} PRIVATE vicinal_developer)
endfunction()

# -O`level` where Release says -O3, for programs of many index types whose speed nobody measures: at -O1 they compile in
# half the time. Strict aliasing, which GCC assumes from -O2 only, is assumed at every level: the optimised run tries it.
function(vicinal_optimise target level)
  if(NOT MSVC)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O${level}> $<$<CONFIG:Release>:-fstrict-aliasing>)
  endif()
endfunction()

# No UBSan, half of the time of compiling `target`: for programs that look for what other sanitizers find.
function(vicinal_without_ubsan target)
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=address,undefined")
    target_compile_options(${target} PRIVATE -fno-sanitize=undefined)
  endif()
endfunction()

# No optimisation where a sanitizer would be most of the time of compiling `target`: for programs that do little work.
function(vicinal_sanitize_unoptimised target)
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=" AND NOT VICINAL_FUZZ)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()
