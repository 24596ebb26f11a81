# mailferry_layer(NAME [LAYERS a b ...] [LIBS x y ...]): the .c files of src/NAME (with one level of
# folders below) as a static library that may use the layers and outside libraries named.
function(mailferry_layer name)
  cmake_parse_arguments(arg "" "" "LAYERS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c
       ${CMAKE_SOURCE_DIR}/src/${name}/*/*.c)
  if(NOT sources)
    add_library(mf_${name} INTERFACE)
    set(scope INTERFACE)
  else()
    add_library(mf_${name} STATIC ${sources})
    set(scope PUBLIC)
  endif()
  target_include_directories(mf_${name} ${scope} ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  foreach(layer ${arg_LAYERS})
    target_link_libraries(mf_${name} ${scope} mf_${layer})
  endforeach()
  if(sources)
    target_link_libraries(mf_${name} PRIVATE ${arg_LIBS})
  endif()
endfunction()

# mailferry_backend(NAME [LIBS x y ...]): the .c files of backends/NAME. A backend sees include/ only;
# what it needs of base and conf (arena, log, settings) it gets through those headers.
function(mailferry_backend name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/backends/${name}/*.c)
  add_library(mf_backend_${name} STATIC ${sources})
  target_include_directories(mf_backend_${name} PRIVATE ${CMAKE_SOURCE_DIR}/include
                             ${CMAKE_SOURCE_DIR}/backends)
  # Linked only: their folders are not to be seen.
  target_link_libraries(mf_backend_${name} PRIVATE ${arg_LIBS} $<LINK_ONLY:mf_conf>
                        $<LINK_ONLY:mf_base> $<LINK_ONLY:mf_push>)
  set_property(GLOBAL APPEND PROPERTY MAILFERRY_BACKENDS ${name})
endfunction()
