# The link graph of the drover_* targets, which is the only place where it is said which folder of src/
# may use which: tests/lint reads it from ${PROJECT_BINARY_DIR}/arrows.txt, the package configuration
# takes the external packages from it.

# Sets `out` to everything `target` links to, directly or not: folders of src/ without their
# "drover_", other targets by name.
function(drover_link_closure target out)
  set(found "")
  set(pending ${target})
  while(pending)
    list(POP_FRONT pending current)
    get_target_property(links ${current} LINK_LIBRARIES)
    if(NOT links)  # an INTERFACE library
      get_target_property(links ${current} INTERFACE_LINK_LIBRARIES)
    endif()
    foreach(link IN LISTS links)
      string(REGEX REPLACE "^drover_" "" name "${link}")
      if(NOT link OR name IN_LIST found)
        continue()
      endif()
      list(APPEND found ${name})
      if(link MATCHES "^drover_")
        list(APPEND pending ${link})
      endif()
    endforeach()
  endwhile()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# One line per folder of src/ that has a target: "mm: litmus design".
function(drover_write_arrows file)
  set(text "")
  foreach(folder ${ARGN})
    if(folder STREQUAL "cli")
      set(links "${ARGN}")  # the command line may use everything
    elseif(TARGET drover_${folder})
      drover_link_closure(drover_${folder} links)
      if(folder IN_LIST links)
        message(FATAL_ERROR "drover_${folder} depends on itself")
      endif()
    else()
      continue()
    endif()
    list(JOIN links " " links)
    string(APPEND text "${folder}: ${links}\n")
  endforeach()
  file(WRITE ${file} "${text}")
endfunction()
