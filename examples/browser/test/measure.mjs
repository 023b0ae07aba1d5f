// SPDX-License-Identifier: MIT
// Queries, and how long they take. Also runs in the page, where it gets the queries as an argument.

/** What to ask. */
export async function queries() {
    const { readFile } = await import("node:fs/promises");
    const text = await readFile(new URL("queries.txt", import.meta.url), "utf8");
    return text.trim().split("\n");
}

/** The median and the 99th percentile of the time from text to results, of queries typed letter by letter. */
export function measure(search, asked) {
    const typed = asked.flatMap((query) => [...query].map((_, i) => query.slice(0, i + 1)));
    const repeats = 10; // clocks of browsers are coarse
    const times = [];
    for (const round of [0, 1, 2]) // the first warms up
        for (const text of typed) {
            const begin = performance.now();
            for (let i = 0; i < repeats; ++i) search.ask(text, 8);
            if (round > 0) times.push(((performance.now() - begin) / repeats) * 1000);
        }
    times.sort((a, b) => a - b);
    const at = (share) => times[Math.floor(share * (times.length - 1))].toFixed(0);
    return `${typed.length} texts as typed, median ${at(0.5)} µs, p99 ${at(0.99)} µs`;
}
