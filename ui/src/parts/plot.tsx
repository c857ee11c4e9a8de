import { text } from "../text";

const hours = 168;
const bars = 28;

/** Failures of the last seven days, six hours a bar. */
export function Plot({ values }: { values: { time: string; count: number }[] }) {
  const end = Date.now();
  const counts = new Array<number>(bars).fill(0);
  let total = 0;
  for (const { time, count } of values) {
    const bar = bars - 1 - Math.floor((end - Date.parse(time)) / 3_600_000 / (hours / bars));
    if (bar < 0 || bar >= bars) continue;
    counts[bar] = (counts[bar] ?? 0) + count;
    total += count;
  }
  const most = Math.max(1, ...counts);
  return (
    <svg className="plot" viewBox={`0 0 ${bars * 4} 24`} role="img" aria-label={text.incidents.plot(total)}>
      {counts.map((count, at) => {
        const height = count === 0 ? 1 : Math.max(2, (count / most) * 24);
        return <rect key={at} x={at * 4} y={24 - height} width={3} height={height} className={count === 0 ? "plot-none" : "plot-bar"} />;
      })}
    </svg>
  );
}
