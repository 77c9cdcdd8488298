/** Values of metrics as they were told: one for each name with its labels, such as `formwire_lanes{provider="webhook",breaker="closed"}`. */
export type Samples = ReadonlyMap<string, number>;

/** Reads Prometheus' text format. */
export function parseSamples(text: string): Samples {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line): [string, number] => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

/** Asks a process for its metrics. */
export async function scrape(url: string): Promise<Samples> {
  const reply = await fetch(`${url}/metrics`);
  if (reply.status !== 200) throw new Error(`/metrics answered ${reply.status}: ${await reply.text()}`);
  return parseSamples(await reply.text());
}

/** Names of what was told, without labels. */
export const namesOf = (samples: Samples): Set<string> => new Set([...samples.keys()].map((sample) => sample.replace(/\{.*/, '')));
