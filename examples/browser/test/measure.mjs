// SPDX-License-Identifier: MIT
// Queries, and how long they take. Also runs in the page, where it gets the queries as an argument.

/** What to ask. */
export async function queries() {
    const { readFile } = await import("node:fs/promises");
    const text = await readFile(new URL("queries.txt", import.meta.url), "utf8");
    return text.trim().split("\n");
}

/** The median and the 99th percentile of the time from text to results, over queries typed letter by letter. */
export function measure(search, asked) {
    const typed = asked.flatMap((query) => [...query].map((_, i) => query.slice(0, i + 1)));
    const repeats = 10; // as browsers' clocks are coarse
    const times = new Map(); // of each text the fastest of five rounds: other programs of the machine do not count
    for (let round = 0; round < 5; ++round)
        for (const text of typed) {
            const begin = performance.now();
            for (let i = 0; i < repeats; ++i) search.ask(text, 8);
            const microseconds = ((performance.now() - begin) / repeats) * 1000;
            times.set(text, Math.min(microseconds, times.get(text) ?? Infinity));
        }
    const sorted = [...times.values()].sort((a, b) => a - b);
    const at = (share) => sorted[Math.floor(share * (sorted.length - 1))].toFixed(0);
    return `${sorted.length} texts as typed, median ${at(0.5)} µs, p99 ${at(0.99)} µs`;
}
