import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { readCopy, type Stage } from './dockerfile.ts';

/** What a container of the image would run, and in which folder. */
export interface Image {
  directory: string;
  entrypoint: string[];
  command: string[];
  environment: Record<string, string>;
}

/**
 * Does in folders what the instructions of a Dockerfile say, in their order, with the Node.js of this machine: what
 * stands in no COPY is not there. An instruction that it does not know is an error, not passed over.
 */
export function buildImage(stages: readonly Stage[], { context, directory }: { context: string; directory: string }): Image {
  const image: Image = { directory, entrypoint: [], command: [], environment: {} };
  const rootOf = (name: string): string => path.join(directory, name === '' ? 'image' : name);
  for (const { name: stage, instructions } of stages) {
    let workdir = rootOf(stage);
    const within = (target: string): string => (path.isAbsolute(target) ? path.join(rootOf(stage), target) : path.join(workdir, target));
    for (const instruction of instructions) {
      const { name, rest } = instruction;
      if (name === 'WORKDIR') mkdirSync((workdir = within(rest)), { recursive: true });
      else if (name === 'COPY') copy(instruction, { context, rootOf, within });
      else if (name === 'RUN') run(rest, workdir);
      else if (name === 'ENV') Object.assign(image.environment, Object.fromEntries([rest.split('=')]));
      else if (name === 'ENTRYPOINT') image.entrypoint = JSON.parse(rest) as string[];
      else if (name === 'CMD') image.command = JSON.parse(rest) as string[];
      else if (name !== 'USER') throw new Error(`The image does not know ${name}`);
    }
    image.directory = workdir;
  }
  return image;
}

function copy(instruction: Stage['instructions'][number], { context, rootOf, within }: { context: string; rootOf: (stage: string) => string; within: (target: string) => string }): void {
  const { from, sources, target } = readCopy(instruction);
  const isFolder = target.endsWith('/');
  for (const source of sources) {
    const to = within(isFolder ? path.join(target, path.basename(source)) : target);
    // nobody needs a stage any more when the next one has taken its files
    if (from !== '') renameSync(path.join(rootOf(from), source), to);
    else cpSync(path.join(context, source), to, { recursive: true });
  }
}

function run(line: string, cwd: string): void {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], npm_config_prefer_offline: 'true' };
  const { status, stderr } = spawnSync('sh', ['-c', line], { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${line} ended with ${String(status)}: ${stderr.slice(-2_000)}`);
}
