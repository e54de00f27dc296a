# Writes page_files.cpp: the style and the script of the HTML page, as they stand in their files.
set(text "#include \"suite/report/page_files.h\"\n\nnamespace convscope {\n")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  string(REPLACE "." "_" name ${name})
  file(READ ${file} content)
  string(APPEND text "const char* const ${name} = R\"file(${content})file\";\n")
endforeach()
file(WRITE ${OUTPUT} "${text}}  // namespace convscope\n")
