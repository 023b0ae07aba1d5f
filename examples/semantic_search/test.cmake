# SPDX-License-Identifier: MIT
# Runs semantic_search on small corpora made here.  cmake -DPROGRAM=... -DFOLDER=... -P test.cmake
cmake_minimum_required(VERSION 3.21)
file(REMOVE_RECURSE "${FOLDER}")
file(MAKE_DIRECTORY "${FOLDER}/texts")

# run(expected_exit_code regex... ARGS argument...): standard output and error together must match every regex.
function(run code)
    cmake_parse_arguments(PARSE_ARGV 1 run "" "INPUT" "ARGS;NOT")
    if(NOT run_INPUT)
        set(run_INPUT "${FOLDER}/no_input")
        file(WRITE "${run_INPUT}" "")
    endif()
    execute_process(COMMAND "${PROGRAM}" --cache "${FOLDER}/cache" ${run_ARGS}
        INPUT_FILE "${run_INPUT}" OUTPUT_VARIABLE out ERROR_VARIABLE out RESULT_VARIABLE result)
    if(NOT result EQUAL code)
        message(FATAL_ERROR "exit code ${result}, expected ${code}: ${run_ARGS}\n${out}")
    endif()
    foreach(regex IN LISTS run_UNPARSED_ARGUMENTS)
        if(NOT out MATCHES "${regex}")
            message(FATAL_ERROR "no match for ${regex}: ${run_ARGS}\n${out}")
        endif()
    endforeach()
    foreach(regex IN LISTS run_NOT)
        if(out MATCHES "${regex}")
            message(FATAL_ERROR "unexpected match for ${regex}: ${run_ARGS}\n${out}")
        endif()
    endforeach()
endfunction()

# A folder. "kitten" and "cat" never meet in one text, but both keep company with "whiskers" and "purring".
file(WRITE "${FOLDER}/texts/cat.txt" "The cat has whiskers and is purring on the sofa while it sleeps.")
file(WRITE "${FOLDER}/texts/kitten.txt" "A kitten with tiny whiskers, purring and playing with wool.")
file(WRITE "${FOLDER}/texts/engine.txt" "The engine of the car burns fuel in four cylinders.")
file(WRITE "${FOLDER}/texts/road.txt" "Cars drive on the road and stop at traffic lights for fuel.")
file(WRITE "${FOLDER}/texts/bread.txt" "Bake the bread in a hot oven with flour, yeast and salt.")
file(WRITE "${FOLDER}/texts/cake.txt" "For the cake mix sugar, flour and butter, then use the oven.")
set(texts --corpus "${FOLDER}/texts")
run(0 "learning words" "saving" "purring kittens\"\n  -?0\\.[0-9]+  kitten\\.txt" "cat\\.txt" "recall 1\\.00"
    ARGS ${texts} --count 2 "purring kittens")
run(0 "loading" "baking\"\n  -?0\\.[0-9]+  bread\\.txt" "not in the corpus: zeppelin" "2 queries: .*recall@1 against flat_index 1\\.000"
    NOT "learning words" ARGS ${texts} --count 1 "baking" "zeppelin whiskers")
run(0 "none of these words is in the corpus" ARGS ${texts} "xylophone orchestra")
run(0 "learning words" "the corpus or the options have changed" ARGS ${texts} --dims 3 "fuel")
run(0 "learning words" NOT "loading" ARGS ${texts} --rebuild "fuel")
run(0 "3 queries" ARGS ${texts})

# Changed and damaged: both are noticed.
file(WRITE "${FOLDER}/texts/tea.txt" "Green tea needs water that does not boil.")
run(0 "the corpus or the options have changed" "7 documents" "boiling water\"\n  -?0\\.[0-9]+  tea\\.txt"
    ARGS ${texts} "boiling water")
file(GLOB vocabulary "${FOLDER}/cache/*/vocabulary.bin")
file(APPEND "${vocabulary}" "x")
run(0 "making the index: the saved vocabulary is damaged" "7 documents" ARGS ${texts} "water")
file(GLOB graph "${FOLDER}/cache/*/graph.vic")
file(WRITE "${graph}" "not an index")
run(0 "making the index: " "7 documents" ARGS ${texts} "water")
run(0 "loading" NOT "learning words" ARGS ${texts} "water")

# Queries from standard input.
file(WRITE "${FOLDER}/queries" "fuel for cars\n\nbutter\n")
run(0 "fuel for cars\"" "butter\"\n  -?0\\.[0-9]+  cake\\.txt" "2 queries" INPUT "${FOLDER}/queries" ARGS ${texts} -)

# The other kinds of file.
file(WRITE "${FOLDER}/lines.txt" "red apples and pears\ngrey stones and gravel\n")
run(0 "2 documents" "apple\"\n  -?0\\.[0-9]+  red apples and pears" ARGS --corpus "${FOLDER}/lines.txt" "apple")
file(WRITE "${FOLDER}/table.tsv" "Fruit\tred apples and pears\nRock\tgrey stones and gravel\n")
run(0 "2 documents" "stone\"\n  -?0\\.[0-9]+  Rock\n         grey stones" ARGS --corpus "${FOLDER}/table.tsv" "stone")
string(CONCAT json [=[{"id": 1, "title": "Fr\u00fcchte", "text": "red \"apples\"\nand pears", "tags": ["a", {"b": null}]}]=] "\n"
    [=[{"title": "Rock \ud83e\udea8", "text": "grey stones", "weight": -1.5e3}]=] "\n")
file(WRITE "${FOLDER}/objects.jsonl" "${json}")
run(0 "2 documents" "apple\"\n  -?0\\.[0-9]+  Früchte\n         red \"apples\" and pears" ARGS --corpus "${FOLDER}/objects.jsonl" "apple")
run(0 "früchte\"\n  -?0\\.[0-9]+  Früchte" ARGS --corpus "${FOLDER}/objects.jsonl" "früchte")
file(WRITE "${FOLDER}/packages" "Package: graphviz\nVersion: 1\nDescription: rich set of graph drawing tools\n It draws.\n\n"
    "Package: libgvc6\nDescription: rich set of graph drawing tools - gvc library\n It draws.\n .\n The library.\n\n"
    "Package: gzip\nDescription: GNU compression utilities\n Files become smaller.\n")
run(0 "2 documents" "drawing graphs\"\n  -?0\\.[0-9]+  graphviz: rich" ARGS --corpus "${FOLDER}/packages" "drawing graphs")

# Mistakes: a reason and a code.
run(1 "there is no .*nowhere" ARGS --corpus "${FOLDER}/nowhere" "x")
file(WRITE "${FOLDER}/broken.jsonl" "{\"text\": \"fine\"}\n{\"text\": \"cut\n")
run(1 "broken.jsonl, line 2: column [0-9]+: a string does not end" ARGS --corpus "${FOLDER}/broken.jsonl" "x")
file(WRITE "${FOLDER}/empty.txt" "\n")
run(1 "found no text in" ARGS --corpus "${FOLDER}/empty.txt" "x")
run(2 "unknown option --frobnicate" ARGS --frobnicate)
run(2 "--count is \"many\", it must be a number from 1 to 1000" ARGS --count many "x")
run(2 "--corpus needs a value" ARGS --corpus)
run(0 "usage: semantic_search" ARGS --help)
