# Installs the build in a folder of its own, builds the example against that, and checks what it
# prints: cmake -DBUILD=... -DSOURCE=... -DPREFIX_PATH=... -P run.cmake
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGN} failed:\n${out}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

set(folder ${BUILD}/example_project)
file(REMOVE_RECURSE ${folder})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${folder}/installed)
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${folder}/build
    "-DCMAKE_PREFIX_PATH=${folder}/installed;${PREFIX_PATH}")
run(${CMAKE_COMMAND} --build ${folder}/build)
run(${folder}/build/example)

# By hand: 3x3 over 3 channels at 32x32, over 16 at 16x16, and 16 weights for each of 10 classes;
# the first ReLU has two maps of 16x32x32 floats.
math(EXPR stem "32 * 32 * 16 * 27")
math(EXPR inner "16 * 16 * 16 * 144")
math(EXPR macs "${stem} + ${inner} + 160")
math(EXPR peak "2 * 16 * 32 * 32 * 4")
foreach(line "params 2922" "macs ${macs}" "rf 8" "peak_bytes ${peak}" "conv2d 'stem' ${stem}"
             "max_pool2d 'pool' 0" "conv2d 'inner' ${inner}" "addmm 'head' 160")
  string(FIND "${out}" "${line}\n" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "no line '${line}' in what the example prints:\n${out}")
  endif()
endforeach()
if(NOT out MATCHES "median_ms 0\\.[0-9]*[1-9]|median_ms [1-9]")
  message(FATAL_ERROR "no time in what the example prints:\n${out}")
endif()
