// SPDX-License-Identifier: MIT
// node test/node.mjs SITE ANSWERS: searches the page's files in node and compares with what page_data, a native
// program, answered: the same documents, but for neighbours whose distances differ by rounding. Then measures.
import assert from "node:assert/strict";
import { copyFile, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { measure, queries } from "./measure.mjs";

const [site, answers] = process.argv.slice(2);
const read = (name) => readFile(join(site, name));
// A copy of another name, because node takes files named .js for modules of its older kind.
const copy = resolve(dirname(answers), "search.mjs");
await copyFile(join(site, "search.js"), copy);
const { Search } = await import(pathToFileURL(copy));
const begin = performance.now();
const search = await Search.open(read);
console.log(`opened in ${(performance.now() - begin).toFixed(1)} ms, ${search.size} documents`);

// Sums are taken in another order by other instruction sets, so the last bits of distances differ.
const rounding = 2e-6;
const native = (await readFile(answers, "utf8")).trim().split("\n").map((line) => JSON.parse(line));
const asked = await queries();
assert.equal(native.length, asked.length);
let found = 0;
asked.forEach((query, q) => {
    const { hits } = search.ask(query, 8);
    assert.equal(hits.length, native[q].length, query);
    hits.forEach(({ id, distance }, i) => {
        const [nativeId, nativeDistance] = native[q][i];
        assert.ok(Math.abs(distance - nativeDistance) <= rounding, `${query}: ${distance} and ${nativeDistance}`);
        const tied = native[q].some(([other, d]) => other === id && Math.abs(d - nativeDistance) <= rounding);
        assert.ok(id === nativeId || tied, `${query}: document ${id} and ${nativeId}`);
        found += 1;
    });
});
assert.ok(found > 0);
console.log(`${asked.length} queries, ${found} documents found: as the native program`);

assert.deepEqual(search.ask("", 8), { hits: [], unknown: "", completed: "" });
assert.equal(search.ask("x".repeat(1 << 20), 8).hits.length, 0);
assert.equal(search.ask("files", 1 << 20).hits.length, search.size);

// Damage is noticed, wherever it is.
for (const name of ["documents.vic", "terms.vic", "vocabulary.bin"])
    for (const damage of ["cut", "changed"]) {
        const damaged = (other) =>
            read(other).then((bytes) => {
                if (other !== name) return bytes;
                if (damage === "cut") return bytes.subarray(0, bytes.length - 1);
                bytes[bytes.length >> 1] ^= 1;
                return bytes;
            });
        await assert.rejects(Search.open(damaged), Error, `${name}, ${damage}`);
    }
await assert.rejects(
    Search.open((name) => (name === "page.wasm" ? Uint8Array.of(0, 97, 115, 109) : read(name))), /too old/);
console.log("damaged files are refused");

console.log(`node ${process.version}: ${measure(search, asked)}`);
