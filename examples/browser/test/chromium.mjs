// SPDX-License-Identifier: MIT
// node test/chromium.mjs SITE ANSWERS [SCREENSHOT.png]: opens the page in headless Chromium, types queries key by key and
// compares what is shown with what page_data, a native program, answered. Then measures, and tries what can go wrong.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { measure, queries } from "./measure.mjs";

const [site, answers, screenshot] = process.argv.slice(2);
const types = { ".html": "text/html", ".js": "text/javascript", ".json": "application/json", ".wasm": "application/wasm" };
const absent = new Set();

// Any static server does; this one can also lose a file.
const server = createServer(async (request, response) => {
    const name = new URL(request.url, "http://localhost").pathname.slice(1) || "index.html";
    const there = !name.includes("/") && !absent.has(name) && (await stat(join(site, name)).catch(() => null));
    response.writeHead(there ? 200 : 404, { "Content-Type": types[extname(name)] ?? "application/octet-stream" });
    if (there) createReadStream(join(site, name)).pipe(response);
    else response.end();
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}/`;

// Chromium's DevTools protocol by a pipe: messages of JSON, each with a zero byte behind it.
const profile = await mkdtemp(join(tmpdir(), "chromium-"));
const flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " +
    "--disable-component-update --disable-sync --window-size=800,900 --remote-debugging-pipe";
const chromium = spawn(process.env.CHROMIUM ?? "chromium", [...flags.split(" "), `--user-data-dir=${profile}`],
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const waiting = new Map();
let received = "";
chromium.stdio[4].on("data", (bytes) => {
    const messages = (received + bytes).split("\0");
    received = messages.pop();
    for (const { id, result, error } of messages.map((message) => JSON.parse(message))) {
        if (error) waiting.get(id)?.reject(new Error(error.message));
        else waiting.get(id)?.resolve(result);
        waiting.delete(id);
    }
});
let last = 0;
function send(method, params = {}, sessionId = undefined) {
    const id = ++last;
    chromium.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

/** A new tab with the page in it. */
async function open(query = "") {
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    const page = (method, params) => send(method, params, sessionId);
    const run = async (expression) => {
        const params = { expression, awaitPromise: true, returnByValue: true };
        const { result, exceptionDetails } = await page("Runtime.evaluate", params);
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
    };
    const until = async (expression) => {
        for (const end = Date.now() + 30000; Date.now() < end; await new Promise((done) => setTimeout(done, 20)))
            if (await run(expression).catch(() => false)) return;
        throw new Error(`waited in vain for ${expression}; the page says: ${await run("document.body.innerText")}`);
    };
    const type = async (text) => {
        for (const key of text) await page("Input.dispatchKeyEvent", { type: "char", text: key });
    };
    await page("Page.navigate", { url: address + query });
    return { page, run, until, type };
}

const ready = "document.activeElement?.id === 'query'"; // so it can be typed into at once
const status = "document.getElementById('status').textContent";
const shown = `[...document.querySelectorAll("#results li")].map((item) =>
    [item.querySelector(".name").textContent, item.querySelector(".distance").textContent])`;

async function run() {
    const texts = JSON.parse(await readFile(join(site, "texts.json"), "utf8"));
    const native = (await readFile(answers, "utf8")).trim().split("\n").map((line) => JSON.parse(line));
    const asked = await queries();
    const tab = await open();
    await tab.until(ready);
    assert.match(await tab.run(status), new RegExp(`\\b[0-9]+ documents`));
    for (const [q, query] of asked.entries()) {
        await tab.run("document.getElementById('query').select()");
        await tab.type(query);
        await tab.until(`document.getElementById("query").value === ${JSON.stringify(query)}`);
        const found = await tab.run(shown);
        assert.equal(found.length, native[q].length, query);
        found.forEach(([name, distance], i) => {
            // Neighbours at the same distance, but for rounding, may have changed places.
            const [, nativeDistance] = native[q][i];
            assert.ok(Math.abs(Number(distance) - nativeDistance) <= 0.00051, `${query}: ${distance}, ${nativeDistance}`);
            const alike = native[q].filter(([, d]) => Math.abs(d - nativeDistance) <= 2e-6).map(([id]) => texts[id][0]);
            assert.ok(alike.some((title) => title === name || title.startsWith(`${name}: `)), `${query}: ${name}`);
        });
    }
    console.log(`${asked.length} queries typed: the page shows what the native program found`);

    const { product } = await send("Browser.getVersion");
    const how = `import("./search.js").then(async ({ Search }) => (${measure})(
        await Search.open((name) => fetch(name).then((file) => file.arrayBuffer())), ${JSON.stringify(asked)}))`;
    console.log(`${product}: ${await tab.run(how)}`);

    const linked = await open("?q=" + encodeURIComponent(asked[0]));
    await linked.until(ready);
    assert.equal((await linked.run(shown)).length, native[0].length);
    if (screenshot) {
        const { data } = await linked.page("Page.captureScreenshot");
        await writeFile(screenshot, Buffer.from(data, "base64"));
    }

    await linked.run("document.getElementById('query').select()");
    await linked.type("xyzzyq");
    assert.match(await linked.run(status), /^No document has these words/);
    assert.deepEqual(await linked.run(shown), []);

    absent.add("terms.vic");
    const broken = await open();
    await broken.until("document.getElementById('status').className === 'failed'");
    assert.match(await broken.run(status), /terms\.vic cannot be fetched: 404/);
    assert.ok(await broken.run("document.getElementById('query').disabled"));
    console.log("a link is answered, unknown words and an absent file are told");
}

let failed = null;
const died = new Promise((_, reject) => {
    chromium.on("error", reject);
    chromium.on("exit", (code) => reject(new Error(`chromium ended with code ${code}`)));
});
died.catch(() => {});
try {
    await Promise.race([run(), died]);
} catch (error) {
    failed = error;
}
chromium.kill();
await died.catch(() => {});
server.close();
server.closeAllConnections();
await rm(profile, { recursive: true, force: true, maxRetries: 5 });
if (failed) {
    console.error(failed);
    process.exitCode = 1;
}
