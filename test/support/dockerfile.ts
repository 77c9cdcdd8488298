/** One instruction of a Dockerfile, such as `COPY` and `--from=dependencies /app/node_modules node_modules`. */
export interface Instruction {
  name: string;
  rest: string;
}

export interface Stage {
  base: string;
  /** Of `FROM … AS name`; '' for none. */
  name: string;
  instructions: Instruction[];
}

/** The stages of a Dockerfile. It knows the instructions of one line, which are all that ours has. */
export function readStages(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const line of text.split('\n').filter((one) => one.trim() !== '' && !one.startsWith('#'))) {
    const [, name = '', rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    if (name === '') throw new Error(`A line of the Dockerfile is no instruction: ${line}`);
    if (name === 'FROM') {
      const [base = '', , stageName = ''] = rest.split(' ');
      stages.push({ base, name: stageName, instructions: [] });
    } else stages.at(-1)?.instructions.push({ name, rest });
  }
  return stages;
}

/** What a COPY takes, from where, and where it puts it. */
export function readCopy({ rest }: Instruction): { from: string; sources: string[]; target: string } {
  const words = rest.split(' ');
  const from = words[0]?.startsWith('--from=') ? (words.shift() ?? '').slice('--from='.length) : '';
  return { from, sources: words.slice(0, -1), target: words.at(-1) ?? '' };
}

/** All that the image takes from the repository: files and folders. */
export const copiedFromRepository = (stages: readonly Stage[]): string[] =>
  stages.flatMap(({ instructions }) => instructions.filter(({ name }) => name === 'COPY').map(readCopy)).filter(({ from }) => from === '').flatMap(({ sources }) => sources);
