// SPDX-License-Identifier: MIT
// The page: searches at every key and shows what is found.
import { Search } from "./search.js";

const shown = 8;
const box = document.getElementById("query");
const status = document.getElementById("status");
const results = document.getElementById("results");

async function read(name) {
    const response = await fetch(name).catch(() => null);
    if (response === null) throw new Error(`${name} cannot be fetched. Is the page opened through a web server?`);
    if (!response.ok) throw new Error(`${name} cannot be fetched: ${response.status} ${response.statusText}`);
    return response.arrayBuffer();
}

function element(name, className, text) {
    const out = document.createElement(name);
    out.className = className;
    out.textContent = text;
    return out;
}

// "gimp: image editor" has its name and its description in the title.
function item([title, text], distance) {
    const [, name, description] = /^(\S+): (.*)$/.exec(title) ?? [null, title, ""];
    const out = document.createElement("li");
    const head = element("div", "head", "");
    head.append(element("span", "name", name), element("span", "distance", distance.toFixed(3)));
    out.append(head);
    for (const line of [description, text]) if (line) out.append(element("p", "", line));
    return out;
}

function show(search, texts) {
    const query = box.value;
    history.replaceState(null, "", query ? `?q=${encodeURIComponent(query)}` : location.pathname);
    if (query.trim() === "") {
        results.replaceChildren();
        status.textContent = `${search.size} documents. Results come as you type.`;
        return;
    }
    const begin = performance.now();
    const { hits, unknown, completed } = search.ask(query, shown);
    const took = performance.now() - begin;

    results.replaceChildren(...hits.map(({ id, distance }) => item(texts[id], distance)));
    const notes = [
        hits.length === 0
            ? "No document has these words; try others."
            : `${hits.length} nearest of ${search.size} documents, found in ${took < 0.1 ? "less than 0.1" : took.toFixed(1)} ms.`,
    ];
    if (completed) notes.push(`Last word read as “${completed}…”.`);
    if (unknown && hits.length > 0) notes.push(`In no document: ${unknown}.`);
    status.textContent = notes.join(" ");
}

async function start() {
    const [search, texts] = await Promise.all([
        Search.open(read),
        read("texts.json").then((bytes) => JSON.parse(new TextDecoder().decode(bytes))),
    ]);
    box.value ||= new URLSearchParams(location.search).get("q") ?? "";
    box.addEventListener("input", () => show(search, texts));
    box.disabled = false;
    box.focus();
    show(search, texts);
}

start().catch((error) => {
    status.className = "failed";
    status.textContent = error.message;
});
