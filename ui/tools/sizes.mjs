// Prints what a browser downloads (gzip) and fails the build when the first load is over its budget.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

const budgetKb = 200;
const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const size = (path) => gzipSync(readFileSync(dist + path), { level: 9 }).length;
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

// The first load: the page, what it names, and what Home (the page that opens) needs.
const html = readFileSync(`${dist}index.html`, "utf8");
const first = new Set([...html.matchAll(/\/(assets\/[^"]+)/g)].map((match) => match[1]));
const all = readdirSync(`${dist}assets`).map((name) => `assets/${name}`);
const follow = (path) => {
  for (const match of readFileSync(dist + path, "utf8").matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) {
    const next = `assets/${match[1]}`;
    if (!first.has(next)) {
      first.add(next);
      follow(next);
    }
  }
};
for (const path of all.filter((name) => /assets\/home_page-.*\.(js|css)$/.test(name))) first.add(path);
for (const path of [...first].filter((name) => name.endsWith(".js"))) follow(path);

const total = [...first].reduce((sum, path) => sum + size(path), size("index.html"));
for (const path of all.sort()) console.log(`${first.has(path) ? "first" : "later"}  ${kb(size(path)).padStart(9)}  ${path}`);
console.log(`First load: ${kb(total)} of ${budgetKb} kB (gzip)`);
if (total > budgetKb * 1000) {
  console.error("The first load is over its budget.");
  process.exit(1);
}
