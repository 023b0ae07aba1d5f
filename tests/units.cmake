# SPDX-License-Identifier: MIT
# Which test files are compiled together, and which of them run under the address sanitizer.
#
# What takes the time of compiling a test is reading Eigen, xsimd and the library (five seconds a file) and making the
# index types it uses (five to ten seconds each), not the test. Files of a unit do both once: streams, lazy_parts and
# eight more of the same three indexes take a fifth of the time they take one by one.

option(VICINAL_TEST_UNITS "Compile test files that use the same types of index together" ON)

# ---- the units of the areas that test many types of index; files that no list names are compiled on their own.
set(vicinal_units_index defaults graphs lists codecs filters)
set(vicinal_unit_index_defaults streams lazy_parts braced_vectors inputs progress save_beside hnsw flat hnsw_places
  hnsw_reverse_links counters callbacks fork room hnsw_reorder any_index results)
set(vicinal_unit_index_graphs bits hnsw_products hnsw_rerank hnsw_default hnsw_batch hnsw_duplicates hnsw_algorithms)
set(vicinal_unit_index_lists ivf ivf_batch ivf_clustering ivf_training flat_batch)
set(vicinal_unit_index_codecs codes_batch pq pca8 rabitq_flat rabitq_ivf learning ivf_growth)
set(vicinal_unit_index_filters filter_of filter_scans hnsw_filter max_distance joins groups)
set(vicinal_units_contract promises flat ivf hnsw minimal)
set(vicinal_unit_contract_promises crash file_contract refusals corruption threads golden calls)  # of types behind any_index
set(vicinal_unit_contract_flat flat_essential flat_further)
set(vicinal_unit_contract_ivf ivf_essential ivf_further)
set(vicinal_unit_contract_hnsw hnsw_essential hnsw_further)
set(vicinal_unit_contract_minimal minimal_affine minimal_codecs minimal_forms minimal_metrics minimal_options)
set(vicinal_units_living types)
set(vicinal_unit_living_types soak_flat soak_ivf soak_hnsw history churn)

# ---- files that define what belongs to the whole program, which a unit would put into a namespace of their own.
set(vicinal_never_in_units contract/index_contract contract/allocations living/soak storage/allocations
  benchmarks/readers benchmarks/report benchmarks/filter)  # the last three include by a path from their own folder

# ---- the precompiled header: all that files of many types read. A launcher such as ccache does better without.
set(vicinal_precompile OFF)
if(NOT MSVC AND NOT CMAKE_CXX_COMPILER_LAUNCHER AND NOT CMAKE_CXX_CLANG_TIDY)
  set(vicinal_precompile ON)
endif()
option(VICINAL_TEST_PRECOMPILED "Compile the tests from a precompiled header" ${vicinal_precompile})
set(vicinal_never_precompiled test_living_exclusion_alone_test)  # gives a class of the library another name

# Makes `target` start from the precompiled header, if its options are those of the first that asked: for the few of other
# options one more would take as long to make as it saves.
function(vicinal_precompiled target)
  if(NOT VICINAL_TEST_PRECOMPILED OR target IN_LIST vicinal_never_precompiled)
    return()
  endif()
  get_target_property(options ${target} COMPILE_OPTIONS)
  if(NOT TARGET vicinal_precompiled)  # of nothing else, so that no test waits for another's files
    file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/units/nothing.cpp" CONTENT "" @ONLY)
    add_library(vicinal_precompiled OBJECT "${CMAKE_CURRENT_BINARY_DIR}/units/nothing.cpp")
    foreach(property IN ITEMS COMPILE_OPTIONS COMPILE_DEFINITIONS LINK_LIBRARIES)
      get_target_property(value ${target} ${property})
      set_target_properties(vicinal_precompiled PROPERTIES ${property} "${value}")
    endforeach()
    target_precompile_headers(vicinal_precompiled PRIVATE support/precompiled.hpp)
  endif()
  get_target_property(shared vicinal_precompiled COMPILE_OPTIONS)
  if(options STREQUAL shared)
    target_precompile_headers(${target} REUSE_FROM vicinal_precompiled)
  endif()
endfunction()

# Sets `out` to the sources of an area with the files of each unit replaced by one that includes them. An area without a
# list is one unit.
function(vicinal_test_units out area)
  set(compiled ${ARGN})
  if(VICINAL_TEST_UNITS)
    set(units ${vicinal_units_${area}})
    if(NOT units)
      set(units all)
    endif()
    foreach(unit IN LISTS units)
      set(together "")
      foreach(source IN LISTS ARGN)
        string(REGEX REPLACE "^.*/(.*)_test\\.cpp$" "\\1" name "${source}")
        if((unit STREQUAL "all" OR name IN_LIST vicinal_unit_${area}_${unit}) AND
           NOT "${area}/${name}" IN_LIST vicinal_never_in_units)
          list(APPEND together "${source}")
        endif()
      endforeach()
      if(together)
        list(REMOVE_ITEM compiled ${together})
        vicinal_write_unit("${CMAKE_CURRENT_BINARY_DIR}/units/${area}_${unit}.cpp" ${together})
        list(APPEND compiled "${CMAKE_CURRENT_BINARY_DIR}/units/${area}_${unit}.cpp")
      endif()
    endforeach()
  endif()
  set(${out} ${compiled} PARENT_SCOPE)
endfunction()

# Each file gets a namespace, since files use the same names, and all that it includes is included before.
function(vicinal_write_unit file)
  set(headers "")
  set(text "")
  foreach(source IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")  # it may come to include more
    file(STRINGS "${source}" lines REGEX "^#include [<\"]")
    foreach(line IN LISTS lines)
      if(line MATCHES "^#include ([<\"][^>\"]*[>\"])")
        list(APPEND headers "${CMAKE_MATCH_1}")
      endif()
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES headers)
  foreach(header IN LISTS headers)  # some are of one system only
    string(APPEND text "#if __has_include(${header})\n#include ${header}\n#endif\n")
  endforeach()
  foreach(source IN LISTS ARGN)
    get_filename_component(name "${source}" NAME_WE)
    string(APPEND text "namespace unit_of_${name} {\n#include \"${source}\"\n}\n")
  endforeach()
  file(CONFIGURE OUTPUT "${file}" CONTENT "${text}" @ONLY)
endfunction()

# ---- VICINAL_TEST_PART=memory: what the address sanitizer can find something in. A sanitizer multiplies the time of
# compiling a type of index by three, and a graph whose recall is wrong it does not see.
set(VICINAL_TEST_PART all CACHE STRING
    "all; memory: the test files whose subject is memory, for sanitizers; smoke: the program of tests/smoke alone")
set(vicinal_memory_part
  "simd/.*"          # kernels read beyond rows' ends, by a number of bytes they state
  "storage/.*"       # rows move, chunks go, places are taken again
  "scoring/.*"       # prefilters read blocks of rows, of which the last is not full
  "core/.*"          # views, references to functions, threads
  "io/.*"            # bytes of strangers
  "filter/.*"        # sets in all forms, bytes of strangers
  "files/.*"         # forged, mended and large files
  "import/.*"        # other libraries' files, every byte changed
  "durable/log"      # and so of logs
  "codec/(half|sq4|sq8|pq|rabitq)"   # codes of odd dimensions, states of strangers
  "linalg/.*"        # blocks of rows and centroids that are not full
  "contract/(flat|ivf|hnsw)_essential"                                     # every call of every index, and with it
  "contract/(index_contract|refusals|threads|allocations|corruption|crash|file_contract|golden)"  # these promises
  "living/(soak.*|history|memory_.*_alone)"  # readers beside writers, rows that go, allocations that fail at each place
  "index/(streams|lazy_parts|save_beside|progress|room)")  # what outlives a call, what runs beside it, what ends it early

# Leaves in the list of that name the files of the part that is built.
function(vicinal_in_part name)
  if(VICINAL_TEST_PART STREQUAL "memory")
    list(JOIN vicinal_memory_part "|" wanted)
    list(FILTER ${name} INCLUDE REGEX "/(${wanted})_test\\.cpp$")
    set(${name} "${${name}}" PARENT_SCOPE)
  endif()
endfunction()
