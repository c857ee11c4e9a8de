/** What a person typed as a value: itself, or the JSON that it writes. Null is no value. */
export function valueOf(typed: string, isJson: boolean): { ok: true; value: unknown } | { ok: false } {
  if (!isJson) return { ok: true, value: typed };
  try {
    const value: unknown = JSON.parse(typed);
    return value === null ? { ok: false } : { ok: true, value };
  } catch {
    return { ok: false };
  }
}
