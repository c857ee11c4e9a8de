// Prints the table of bench/expression. Arguments: Google Benchmark's JSON output, the peers' lines.
import { readFileSync } from 'node:fs';

const ours = new Map();
for (const run of JSON.parse(readFileSync(process.argv[2], 'utf8').replace(/: NaN/g, ': null')).benchmarks) {
  if (run.aggregate_name === 'median' && !run.error_occurred) ours.set(run.run_name, run);
}
const peers = new Map();
for (const line of readFileSync(process.argv[3], 'utf8').split('\n')) {
  if (line === '') continue;
  const { name, peer, ns } = JSON.parse(line);
  peers.set(`${name}/${peer}`, ns);
}

const shown = (ns) => (ns === undefined ? '-' : ns < 10000 ? `${ns.toFixed(0)} ns` : `${(ns / 1000).toFixed(1)} us`);
const cell = (text, width) => String(text).padStart(width);
console.log(
  'expression'.padEnd(26) + cell('flowmend', 10) + cell('allocations', 13) + cell('adaptive-expr.', 16) + cell('ratio', 9) +
    cell('jsonata', 12) + cell('ratio', 9),
);
let product = 1;
let least = Infinity;
let count = 0;
for (const name of new Set([...peers.keys()].map((key) => key.split('/')[0]))) {
  const run = ours.get(name.replaceAll(' ', '_'));
  const adaptive = peers.get(`${name}/adaptive-expressions`);
  const jsonata = peers.get(`${name}/jsonata`);
  const ratio = run === undefined ? undefined : adaptive / run.cpu_time;
  if (ratio !== undefined) {
    product *= ratio;
    least = Math.min(least, ratio);
    ++count;
  }
  console.log(
    name.padEnd(26) + cell(shown(run?.cpu_time), 10) + cell(run === undefined ? '-' : run.allocations.toFixed(1), 13) +
      cell(shown(adaptive), 16) + cell(ratio === undefined ? '-' : `${ratio.toFixed(0)}x`, 9) + cell(shown(jsonata), 12) +
      cell(run === undefined ? '-' : `${(jsonata / run.cpu_time).toFixed(0)}x`, 9),
  );
}
const mean = product ** (1 / count);
console.log(
  `geometric mean over adaptive-expressions: ${mean.toFixed(0)}x of ${count} (goal 50x), least: ${least.toFixed(0)}x (goal 20x)`,
);
