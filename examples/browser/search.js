// SPDX-License-Identifier: MIT
// page.wasm as a JavaScript object. It runs in browsers and in node, and needs no code of emscripten's.

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class Search {
    /**
     * Opens the page's files. They are copied once, into the module's memory, and searched where they lie there.
     * @param {(name: string) => Promise<ArrayBuffer | Uint8Array>} read  gives the bytes of a file
     * @returns {Promise<Search>}  rejected with an Error whose message is for people to read
     */
    static async open(read) {
        const names = ["page.wasm", "documents.vic", "terms.vic", "vocabulary.bin"];
        const [code, ...files] = await Promise.all(names.map(read));
        if (typeof WebAssembly !== "object" || !WebAssembly.validate(code))
            throw new Error("This browser is too old: it lacks WebAssembly with SIMD and exceptions.");
        const module = await WebAssembly.compile(code);
        let wasm = null;
        // What the C++ library may ask of a system; a search calls none but the first.
        const system = {
            clock_time_get(clock, precision, at) {
                const nanoseconds = BigInt(Math.round(performance.now() * 1e6));
                new DataView(wasm.memory.buffer).setBigUint64(at, nanoseconds, true);
                return 0;
            },
            emscripten_notify_memory_growth() {},
        };
        const absent = (name) => () => {
            throw new Error(`The search asks for ${name}, which this page does not have.`);
        };
        const imports = {};
        for (const { module: from, name } of WebAssembly.Module.imports(module))
            (imports[from] ??= {})[name] = system[name] ?? absent(name);
        wasm = (await WebAssembly.instantiate(module, imports)).exports;
        wasm._initialize();
        return new Search(wasm, files);
    }

    #wasm;

    constructor(wasm, files) {
        this.#wasm = wasm;
        const [documents, terms, vocabulary] = files.map((file) => this.#place(new Uint8Array(file)));
        /** How many documents there are. */
        this.size = wasm.page_open(...documents, ...terms, ...vocabulary);
        wasm.page_free(vocabulary[0]);
        if (this.size === 0) throw new Error(this.#text(wasm.page_message()));
    }

    /**
     * Finds the `count` documents nearest to `text`, closest first.
     * @returns {{hits: {id: number, distance: number}[], unknown: string, completed: string}}  unknown: the words that
     *     no document has; completed: the term that an unfinished last word was taken for. Both may be empty.
     */
    ask(text, count) {
        const wasm = this.#wasm;
        const query = this.#place(encoder.encode(text));
        const found = wasm.page_ask(...query, count);
        wasm.page_free(query[0]);
        if (found < 0) throw new Error(this.#text(wasm.page_message()));
        const ids = new Uint32Array(wasm.memory.buffer, wasm.page_ids(), found);
        const distances = new Float32Array(wasm.memory.buffer, wasm.page_distances(), found);
        return {
            hits: Array.from(ids, (id, i) => ({ id, distance: distances[i] })),
            unknown: this.#text(wasm.page_unknown()),
            completed: this.#text(wasm.page_completed()),
        };
    }

    // The memory's buffer is another one after it has grown, so views of it are made anew each time.
    #place(bytes) {
        const at = this.#wasm.page_allocate(bytes.length);
        if (at === 0) throw new Error(`There is no memory for ${bytes.length} bytes.`);
        new Uint8Array(this.#wasm.memory.buffer).set(bytes, at);
        return [at, bytes.length];
    }

    #text(at) {
        const memory = new Uint8Array(this.#wasm.memory.buffer);
        return decoder.decode(memory.subarray(at, memory.indexOf(0, at)));
    }
}
