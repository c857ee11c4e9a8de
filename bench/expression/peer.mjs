// Measures the peers on cases.json: parsed once, evaluated often. Prints one JSON object a line: {name, peer, ns}.
import { readFileSync } from 'node:fs';
import adaptive from 'adaptive-expressions';
import jsonata from 'jsonata';

const { body, cases } = JSON.parse(readFileSync(new URL('cases.json', import.meta.url)));
const warm_up_ms = 300;
const measure_ms = 1500;

const now = () => Number(process.hrtime.bigint());

// Nanoseconds per call: the best of five slices, as the C++ side takes its median over quiet repetitions.
function measure(call) {
  for (const end = now() + warm_up_ms * 1e6; now() < end; ) call();
  let best = Infinity;
  for (let slice = 0; slice < 5; ++slice) {
    let calls = 0;
    const start = now();
    const end = start + (measure_ms / 5) * 1e6;
    let at = start;
    while (at < end) {
      for (let i = 0; i < 20; ++i) call();
      calls += 20;
      at = now();
    }
    best = Math.min(best, (at - start) / calls);
  }
  return best;
}

async function measure_async(call) {
  for (const end = now() + warm_up_ms * 1e6; now() < end; ) await call();
  let best = Infinity;
  for (let slice = 0; slice < 5; ++slice) {
    let calls = 0;
    const start = now();
    const end = start + (measure_ms / 5) * 1e6;
    let at = start;
    while (at < end) {
      for (let i = 0; i < 20; ++i) await call();
      calls += 20;
      at = now();
    }
    best = Math.min(best, (at - start) / calls);
  }
  return best;
}

for (const test of cases) {
  const expression = adaptive.Expression.parse(test.adaptive);
  const result = expression.tryEvaluate(body);
  if (result.value !== test.gives) {
    throw new Error(`adaptive-expressions gives ${JSON.stringify(result)} for ${test.adaptive}`);
  }
  console.log(JSON.stringify({ name: test.name, peer: 'adaptive-expressions', ns: measure(() => expression.tryEvaluate(body)) }));

  const compiled = jsonata(test.jsonata);
  const value = await compiled.evaluate(body);
  if (value !== test.gives) throw new Error(`jsonata gives ${JSON.stringify(value)} for ${test.jsonata}`);
  console.log(JSON.stringify({ name: test.name, peer: 'jsonata', ns: await measure_async(() => compiled.evaluate(body)) }));
}
