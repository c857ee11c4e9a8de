# Compiler, linker and cache settings that hold for every target.

find_program(CCACHE ccache)
if(CCACHE)
  # Paths are made relative, so that two checkouts of the same text share the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough
                    -Wno-missing-field-initializers)  # designated initializers name what differs from the defaults
if(FLOWMEND_WARNINGS_AS_ERRORS)
  add_compile_options(-Werror)
endif()

# FLOWMEND_SANITIZE=address,undefined: every target is built with them, and a finding ends the process.
if(FLOWMEND_SANITIZE)
  # Left out: checks of every pointer that is read through. They took a third of the compile time, and what they find ends
  # in the address sanitizer's report as well.
  add_compile_options(-fsanitize=${FLOWMEND_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
                      -fno-sanitize=null,alignment,vptr,object-size)
  add_link_options(-fsanitize=${FLOWMEND_SANITIZE})
endif()

# flowmend_allocator(program): what a run allocates on one thread, another frees after the commit. The C library's
# allocator makes these threads wait for each other (a third of the rate of bench/chain); jemalloc does not. The
# sanitizers bring their own.
function(flowmend_allocator program)
  if(NOT FLOWMEND_SANITIZE)
    target_link_options(${program} PRIVATE -Wl,--no-as-needed)
    target_link_libraries(${program} PRIVATE PkgConfig::jemalloc)
  endif()
endfunction()
