# flowmend_room(name USES other...): the library of src/name and, when it has tests, the executable test_name.
#
# Files are found by their names, so that adding one needs no change here: `*_test.cpp` are tests, `*_fuzz.cpp` fuzz
# targets and `*_benchmark.cpp` benchmarks; every other `.cpp` belongs to the library. `USES` names rooms or imported
# targets; a room that is not named can't be linked, which keeps the arrows of docs/architecture.md.

# flowmend_precompile(target headers...): reads what nearly every file includes once, in sanitizer builds alone: they are
# the larger half of a test run's compile time. The debug build, which has none and unites no sources, finds an include
# that is missing.
function(flowmend_precompile target)
  if(FLOWMEND_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp)  # else no cache takes what was compiled with it
    target_precompile_headers(${target} PRIVATE <algorithm> <chrono> <condition_variable> <deque>
                              <functional> <map> <memory> <mutex> <optional> <set> <sstream> <string> <string_view>
                              <thread> <unordered_map> <variant> <vector> <boost/system/result.hpp> ${ARGN})
  endif()
endfunction()

# flowmend_unite(target folder sources...): compiles several sources as one text (cmake/unity_groups.py draws the groups):
# a build from nothing takes half as long. Presets that say FLOWMEND_UNITY=ON have it.
function(flowmend_unite target folder)
  if(NOT FLOWMEND_UNITY)
    return()
  endif()
  execute_process(COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/cmake/unity_groups.py ${folder} ${ARGN}
                  OUTPUT_VARIABLE groups COMMAND_ERROR_IS_FATAL ANY)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  while(groups)
    list(POP_FRONT groups source group)
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endwhile()
endfunction()

function(flowmend_room name)
  cmake_parse_arguments(ROOM "" "" "USES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_benchmark|/main)\\.cpp$")

  set(uses)
  foreach(used IN LISTS ROOM_USES)
    if(TARGET flowmend_${used})
      list(APPEND uses flowmend_${used})
    else()
      list(APPEND uses ${used})
    endif()
  endforeach()

  if(sources)
    add_library(flowmend_${name} STATIC ${sources})
    target_include_directories(flowmend_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(flowmend_${name} PUBLIC ${uses})
    flowmend_precompile(flowmend_${name})
    flowmend_unite(flowmend_${name} ${CMAKE_SOURCE_DIR}/src/${name} ${sources})
  else()
    add_library(flowmend_${name} INTERFACE)
    target_include_directories(flowmend_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(flowmend_${name} INTERFACE ${uses})
  endif()

  if(tests)
    add_executable(test_${name} ${tests})
    target_link_libraries(test_${name} PRIVATE flowmend_${name} GTest::gmock GTest::gtest_main)
    target_compile_definitions(test_${name} PRIVATE FLOWMEND_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    flowmend_precompile(test_${name} <gmock/gmock.h> <gtest/gtest.h>)
    add_test(NAME ${name} COMMAND test_${name})
    add_dependencies(all_tests test_${name})
  endif()

  # Each fuzz target is a program of its own: src/expression/parser_fuzz.cpp becomes fuzz_expression_parser.
  if(FLOWMEND_FUZZ)
    file(GLOB_RECURSE fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*_fuzz.cpp)
    foreach(fuzzer IN LISTS fuzzers)
      get_filename_component(stem ${fuzzer} NAME_WE)
      string(REGEX REPLACE "_fuzz$" "" stem ${stem})
      add_executable(fuzz_${name}_${stem} ${fuzzer})
      target_link_libraries(fuzz_${name}_${stem} PRIVATE flowmend_${name})
      target_link_options(fuzz_${name}_${stem} PRIVATE -fsanitize=fuzzer)
      add_dependencies(fuzz_targets fuzz_${name}_${stem})
    endforeach()
  endif()
endfunction()
