# Compiler, linker and cache settings that hold for every target.

find_program(CCACHE ccache)
if(CCACHE)
  # Paths are made relative, so that two checkouts of the same text share the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
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
  add_compile_options(-fsanitize=${FLOWMEND_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FLOWMEND_SANITIZE})
endif()
