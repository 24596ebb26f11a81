# The manual pages: what of them is the program's own knowledge, the program tells (contrib/tools/manual).
set(MAILFERRY_MAN ${CMAKE_BINARY_DIR}/man)
file(MAKE_DIRECTORY ${MAILFERRY_MAN})
if(TARGET mailferry)
  foreach(page mailferry.1 mailferry.conf.5)
    set(template ${CMAKE_SOURCE_DIR}/contrib/man/${page}.in)
    add_custom_command(
      OUTPUT ${MAILFERRY_MAN}/${page}
      COMMAND ${CMAKE_SOURCE_DIR}/contrib/tools/manual $<TARGET_FILE:mailferry> ${template} >
              ${MAILFERRY_MAN}/${page}.new
      COMMAND ${CMAKE_COMMAND} -E rename ${MAILFERRY_MAN}/${page}.new ${MAILFERRY_MAN}/${page}
      DEPENDS mailferry ${template} ${CMAKE_SOURCE_DIR}/contrib/tools/manual
      VERBATIM)
    list(APPEND pages ${MAILFERRY_MAN}/${page})
  endforeach()
  add_custom_target(manual ALL DEPENDS ${pages})
endif()
