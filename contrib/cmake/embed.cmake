# mailferry_embed(TARGET FILE SYMBOL): the bytes of FILE as `const unsigned char SYMBOL[]`, with SYMBOL_len,
# in a source of the target's own.
function(mailferry_embed target file symbol)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(.....................................................................................)"
         "\\1\n" bytes "${bytes}")
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
       "#include <stddef.h>\n\nextern const unsigned char @symbol@[];\nextern const size_t @symbol@_len;\n\nconst unsigned char @symbol@[] = {\n@bytes@\n};\nconst size_t @symbol@_len = sizeof(@symbol@);\n")
  target_sources(${target} PRIVATE ${out})
endfunction()
